#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

#include "ldm/image/image.h"
#include "ldm/image/limits.h"

namespace ldm {

// A picture whose values are numbers of things instead of brightness, as one channel: of a PNG the stored
// numbers, be they indices of a palette (as Pascal VOC has them) or grey of 1 to 16 bits, unscaled; of RGB
// and of other formats the grey. Turned upright as decode_image does; transparency is left out. Throws
// kFormat as decode_image; kData, naming the pixel, where red, green and blue differ and for numbers above
// 255.
Image decode_label_picture(std::span<const std::byte> bytes, const ImageLimits& limits = {});

// decode_label_picture of a file; messages name the path. Throws kData if it cannot be read.
Image read_label_picture(const std::filesystem::path& path, const ImageLimits& limits = {});

}  // namespace ldm
