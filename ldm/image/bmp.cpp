#include "ldm/image/bmp.h"

#include <vector>

#include "ldm/core/error.h"

namespace ldm {
namespace {

constexpr int64_t kFileHeader = 14, kInfoHeader = 40;

struct BmpHeader {
  int64_t pixels_at, info_size, width, height, bits, colours;
  bool top_down;
};

uint32_t little(std::span<const std::byte> bytes, int64_t at, int size) {
  uint32_t value = 0;
  for (int i = size; i-- > 0;)
    value = value << 8 | std::to_integer<uint32_t>(bytes[static_cast<size_t>(at + i)]);
  return value;
}

BmpHeader read_header(std::span<const std::byte> bytes, const ImageLimits& limits) {
  check(bytes.size() >= kFileHeader + kInfoHeader && little(bytes, 0, 2) == 0x4d42, ErrorKind::kFormat,
        "read_bmp: expected a bitmap with a 40-byte header or longer, got ", bytes.size(), " bytes");
  const int64_t signed_height = static_cast<int32_t>(little(bytes, 22, 4));
  const BmpHeader h{little(bytes, 10, 4),
                    little(bytes, 14, 4),
                    static_cast<int32_t>(little(bytes, 18, 4)),
                    signed_height < 0 ? -signed_height : signed_height,
                    little(bytes, 28, 2),
                    little(bytes, 46, 4),
                    signed_height < 0};
  check_image_size(h.width, h.height, limits, "read_bmp");
  check(h.info_size >= kInfoHeader && h.info_size <= 124, ErrorKind::kFormat,
        "read_bmp: unknown header size ", h.info_size);
  check(little(bytes, 30, 4) == 0, ErrorKind::kFormat, "read_bmp: expected no compression, got method ",
        little(bytes, 30, 4));
  check(h.bits == 1 || h.bits == 4 || h.bits == 8 || h.bits == 24 || h.bits == 32, ErrorKind::kFormat,
        "read_bmp: expected 1, 4, 8, 24 or 32 bits, got ", h.bits);
  return h;
}

// Blue, green, red, unused for each entry; missing entries are black.
std::vector<Rgb> read_palette(std::span<const std::byte> bytes, const BmpHeader& h) {
  std::vector<Rgb> palette(size_t{1} << h.bits);
  const int64_t entries = h.colours == 0 ? int64_t{1} << h.bits : h.colours;
  const int64_t start = kFileHeader + h.info_size;
  check(entries <= static_cast<int64_t>(palette.size()) &&
            start + 4 * entries <= static_cast<int64_t>(bytes.size()),
        ErrorKind::kFormat, "read_bmp: a palette of ", entries, " colours does not fit");
  for (int64_t i = 0; i < entries; ++i) {
    for (int64_t c = 0; c < 3; ++c) {
      palette[static_cast<size_t>(i)][static_cast<size_t>(c)] =
          static_cast<uint8_t>(little(bytes, start + 4 * i + 2 - c, 1));
    }
  }
  return palette;
}

}  // namespace

Image decode_bmp(std::span<const std::byte> bytes, const ImageLimits& limits) {
  const BmpHeader h = read_header(bytes, limits);
  const int64_t stride = (h.width * h.bits + 31) / 32 * 4;
  check(h.pixels_at >= kFileHeader + h.info_size &&
            h.pixels_at + stride * h.height <= static_cast<int64_t>(bytes.size()),
        ErrorKind::kFormat, "read_bmp: the file ends early: expected ", h.pixels_at + stride * h.height,
        " bytes, got ", bytes.size());
  const auto palette = h.bits <= 8 ? read_palette(bytes, h) : std::vector<Rgb>{};

  Image image = make_image(h.width, h.height, 3);
  for (int64_t y = 0; y < h.height; ++y) {
    const auto* in = reinterpret_cast<const uint8_t*>(bytes.data()) + h.pixels_at +
                     stride * (h.top_down ? y : h.height - 1 - y);
    for (int64_t x = 0; x < h.width; ++x) {
      uint8_t* out = image.row(y) + 3 * x;
      Rgb colour;
      if (h.bits <= 8) {
        const int64_t bit = x * h.bits;
        const auto shift = 8 - h.bits - bit % 8;
        colour = palette[static_cast<size_t>((in[bit / 8] >> shift) & ((1 << h.bits) - 1))];
      } else {
        const uint8_t* p = in + x * h.bits / 8;
        colour = {p[2], p[1], p[0]};
      }
      std::copy(colour.begin(), colour.end(), out);
    }
  }
  return image;
}

}  // namespace ldm
