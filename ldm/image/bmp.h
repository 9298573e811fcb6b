#pragma once

#include <cstddef>
#include <span>

#include "ldm/image/image.h"
#include "ldm/image/limits.h"

namespace ldm {

// Uncompressed Windows bitmaps of 1, 4, 8 (palette), 24 and 32 bits (the fourth byte ignored), bottom-up or
// top-down. Always 3 channels. Throws kFormat on the rest.
Image decode_bmp(std::span<const std::byte> bytes, const ImageLimits& limits = {});

}  // namespace ldm
