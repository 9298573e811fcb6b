#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "ldm/image/exif.h"
#include "ldm/image/image.h"
#include "ldm/image/limits.h"
#include "ldm/image/png_text.h"

namespace ldm {

// See decode_image for the pixel rules. Throws kFormat on anything but a whole, valid PNG within the limits.
DecodedImage decode_png(std::span<const std::byte> bytes, const ImageLimits& limits = {});

// What a PNG stores instead of what it shows: palette indices, and numbers of any depth unscaled.
struct PngSamples {
  int64_t width = 0, height = 0;
  int64_t channels = 1;        // 1: grey or the index of a colour, 3: RGB. Transparency is left out.
  int64_t bytes_each = 1;      // 1, or 2 of 16 bits, the high one first.
  std::vector<uint8_t> bytes;  // [height, width, channels]
  int orientation = 1;

  int at(int64_t x, int64_t y, int64_t channel) const {
    const auto* sample = bytes.data() + ((y * width + x) * channels + channel) * bytes_each;
    return bytes_each == 1 ? sample[0] : sample[0] << 8 | sample[1];
  }
};

// Errors as decode_png.
PngSamples decode_png_samples(std::span<const std::byte> bytes, const ImageLimits& limits = {});

// A PNG file: 8 bits, not interlaced, zlib level 6; same input, same bytes. The texts stand before the
// pixels, see make_text_chunk for their form and errors. Throws kUsage.
std::vector<std::byte> encode_png(const Image& image, const PngText& text = {});

// encode_png into a file that appears under its name only when it is complete. Throws kUsage, or kData from
// the disk.
void write_png(const std::filesystem::path& path, const Image& image, const PngText& text = {});

}  // namespace ldm
