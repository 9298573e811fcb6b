#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

#include "ldm/image/image.h"
#include "ldm/image/limits.h"

namespace ldm {

enum class ImageFormat { kUnknown, kPng, kJpeg, kWebp, kBmp };

// By the first bytes; names and extensions do not count.
ImageFormat sniff_image(std::span<const std::byte> bytes);

// Decodes PNG, JPEG, WebP or BMP, turned upright by its EXIF orientation (1..8; other values are ignored).
// Channels: 1 grey, 3 colour, 4 with transparency (grey + alpha becomes RGBA, a palette its colours). 16 bits
// a sample: the high byte. CMYK: Adobe's inverted values, R = (255-C)(255-K)/255. Animations: the first frame
// on its canvas. Bytes after the picture's end are ignored, a file that ends early is refused: never half a
// picture. Throws kFormat: not an image, broken, truncated, or over a limit.
Image decode_image(std::span<const std::byte> bytes, const ImageLimits& limits = {});

// decode_image of a file; messages name the path. Throws kData if it cannot be read, kFormat as decode_image.
Image read_image(const std::filesystem::path& path, const ImageLimits& limits = {});

}  // namespace ldm
