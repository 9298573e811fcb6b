#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ldm/image/exif.h"
#include "ldm/image/image.h"
#include "ldm/image/limits.h"

namespace ldm {

// Baseline and progressive JPEG by libjpeg: accurate integer DCT, smooth chroma upsampling. Grey gives 1
// channel, all other 3. Throws kFormat if the file is broken or ends early (libjpeg alone would fill the rest
// with grey).
DecodedImage decode_jpeg(std::span<const std::byte> bytes, const ImageLimits& limits = {});

// A baseline JPEG file of a grey or RGB picture with libjpeg's defaults: colour at half the resolution,
// standard tables. quality 1..100. Throws kUsage for another quality, for RGBA, and for sides above 65500.
std::vector<std::byte> encode_jpeg(const Image& image, int64_t quality);

}  // namespace ldm
