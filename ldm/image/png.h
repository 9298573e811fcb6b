#pragma once

#include <cstddef>
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

// A PNG file: 8 bits, not interlaced, zlib level 6; same input, same bytes. The texts stand before the
// pixels, see make_text_chunk for their form and errors. Throws kUsage.
std::vector<std::byte> encode_png(const Image& image, const PngText& text = {});

// encode_png into a file that appears under its name only when it is complete. Throws kUsage, or kData from
// the disk.
void write_png(const std::filesystem::path& path, const Image& image, const PngText& text = {});

}  // namespace ldm
