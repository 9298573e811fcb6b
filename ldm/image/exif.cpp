#include "ldm/image/exif.h"

#include <cstring>
#include <string_view>

#include "ldm/core/error.h"

namespace ldm {
namespace {

// Unsigned integers of a TIFF block in its own byte order; 0 outside the block.
struct TiffReader {
  std::span<const std::byte> bytes;
  bool big_endian = false;

  uint32_t read(size_t at, size_t size) const {
    if (at > bytes.size() || bytes.size() - at < size) return 0;
    uint32_t value = 0;
    for (size_t i = 0; i < size; ++i) {
      value = value << 8 | std::to_integer<uint32_t>(bytes[at + (big_endian ? i : size - 1 - i)]);
    }
    return value;
  }
};

bool starts_with(std::span<const std::byte> bytes, std::string_view text) {
  return bytes.size() >= text.size() && std::memcmp(bytes.data(), text.data(), text.size()) == 0;
}

}  // namespace

int exif_orientation(std::span<const std::byte> exif) {
  constexpr uint32_t kOrientation = 0x0112, kShort = 3;
  if (starts_with(exif, {"Exif\0\0", 6})) exif = exif.subspan(6);
  if (!starts_with(exif, {"II*\0", 4}) && !starts_with(exif, {"MM\0*", 4})) return 1;
  const TiffReader tiff{exif, exif[0] == std::byte{'M'}};
  const size_t directory = tiff.read(4, 4);
  const size_t entries = tiff.read(directory, 2);
  for (size_t i = 0; i < entries; ++i) {
    const size_t entry = directory + 2 + 12 * i;
    if (entry >= exif.size()) break;
    if (tiff.read(entry, 2) != kOrientation || tiff.read(entry + 2, 2) != kShort) continue;
    const uint32_t value = tiff.read(entry + 8, 2);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

Image apply_orientation(const Image& image, int orientation) {
  check_image(image, "apply_orientation");
  check(orientation >= 1 && orientation <= 8, "apply_orientation: expected 1..8, got ", orientation);
  if (orientation == 1) return image;
  const bool transposed = orientation >= 5;
  const bool mirror_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool mirror_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  Image out = transposed ? make_image(image.height, image.width, image.channels)
                         : make_image(image.width, image.height, image.channels);
  for (int64_t y = 0; y < out.height; ++y) {
    for (int64_t x = 0; x < out.width; ++x) {
      int64_t from_x = transposed ? y : x, from_y = transposed ? x : y;
      if (mirror_x) from_x = image.width - 1 - from_x;
      if (mirror_y) from_y = image.height - 1 - from_y;
      std::memcpy(out.row(y) + x * out.channels, image.row(from_y) + from_x * out.channels,
                  static_cast<size_t>(out.channels));
    }
  }
  return out;
}

}  // namespace ldm
