#include "ldm/image/decode.h"

#include <cstring>
#include <string_view>

#include "ldm/core/error.h"
#include "ldm/image/bmp.h"
#include "ldm/image/exif.h"
#include "ldm/image/jpeg.h"
#include "ldm/image/png.h"
#include "ldm/image/webp.h"
#include "ldm/io/file.h"

namespace ldm {
namespace {

bool has_bytes(std::span<const std::byte> bytes, size_t at, std::string_view text) {
  return bytes.size() >= at + text.size() && std::memcmp(bytes.data() + at, text.data(), text.size()) == 0;
}

DecodedImage decode_stored(std::span<const std::byte> bytes, const ImageLimits& limits) {
  switch (sniff_image(bytes)) {
    case ImageFormat::kPng:
      return decode_png(bytes, limits);
    case ImageFormat::kJpeg:
      return decode_jpeg(bytes, limits);
    case ImageFormat::kWebp:
      return decode_webp(bytes, limits);
    case ImageFormat::kBmp:
      return {decode_bmp(bytes, limits), 1};
    case ImageFormat::kUnknown:
      break;
  }
  fail(ErrorKind::kFormat, "picture: expected PNG, JPEG, WebP or BMP, got something else (", bytes.size(),
       " bytes)");
}

}  // namespace

void check_image_size(int64_t width, int64_t height, const ImageLimits& limits, const char* who) {
  check(width >= 1 && height >= 1, ErrorKind::kFormat, who, ": expected a picture of at least 1x1, got ",
        width, "x", height);
  check(width <= limits.max_side && height <= limits.max_side && width <= limits.max_pixels / height,
        ErrorKind::kFormat, who, ": ", width, "x", height, " is over the limit of ", limits.max_pixels,
        " pixels or a side of ", limits.max_side);
}

void check_encoded_size(int64_t bytes, const ImageLimits& limits) {
  check(bytes <= limits.max_bytes, ErrorKind::kFormat, "picture: ", bytes,
        " encoded bytes are over the limit of ", limits.max_bytes);
}

ImageFormat sniff_image(std::span<const std::byte> bytes) {
  if (has_bytes(bytes, 0, "\x89PNG\r\n\x1a\n")) return ImageFormat::kPng;
  if (has_bytes(bytes, 0, "\xff\xd8\xff")) return ImageFormat::kJpeg;
  if (has_bytes(bytes, 0, "RIFF") && has_bytes(bytes, 8, "WEBP")) return ImageFormat::kWebp;
  if (has_bytes(bytes, 0, "BM")) return ImageFormat::kBmp;
  return ImageFormat::kUnknown;
}

Image decode_image(std::span<const std::byte> bytes, const ImageLimits& limits) {
  check_encoded_size(static_cast<int64_t>(bytes.size()), limits);
  auto [image, orientation] = decode_stored(bytes, limits);
  return orientation == 1 ? std::move(image) : apply_orientation(image, orientation);
}

Image read_image(const std::filesystem::path& path, const ImageLimits& limits) {
  const auto bytes = read_file(path, static_cast<uint64_t>(limits.max_bytes));
  try {
    return decode_image(bytes, limits);
  } catch (const Error& error) {
    fail(error.kind(), path.string(), ": ", error.what());
  }
}

}  // namespace ldm
