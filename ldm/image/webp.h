#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "ldm/image/exif.h"
#include "ldm/image/limits.h"

namespace ldm {

// Lossy or lossless WebP; of an animation the first frame, on its canvas, transparent around it. 4 channels
// if the file has alpha or is animated with a smaller first frame, else 3. Throws kFormat if it is broken or
// ends early.
DecodedImage decode_webp(std::span<const std::byte> bytes, const ImageLimits& limits = {});

// quality 0..100 for lossy; `lossless` ignores it and keeps every pixel (also under alpha 0). Grey is stored
// as RGB. Throws kUsage on a wrong quality, or a side above 16383.
std::vector<std::byte> encode_webp(const Image& image, double quality = 90.0, bool lossless = false);

}  // namespace ldm
