#pragma once

#include <cstddef>
#include <span>

#include "ldm/image/exif.h"
#include "ldm/image/limits.h"

namespace ldm {

// Baseline and progressive JPEG by libjpeg: accurate integer DCT, smooth chroma upsampling. Grey gives 1
// channel, all other 3. Throws kFormat if the file is broken or ends early (libjpeg alone would fill the rest
// with grey).
DecodedImage decode_jpeg(std::span<const std::byte> bytes, const ImageLimits& limits = {});

}  // namespace ldm
