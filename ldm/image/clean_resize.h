#pragma once

#include <cstdint>
#include <vector>

#include "ldm/image/image.h"

namespace ldm {

// Resizing before feature networks as clean-fid does it (Parmar et al. 2022, "On Aliased Resizing and
// Surprising Subtleties in GAN Evaluation"): each channel as float32 with Pillow's antialiased bicubic,
// clamped to 0..255, not rounded. Interleaved [height, width, channels]. Throws kUsage as resize does.
std::vector<float> clean_resize(const Image& image, int64_t width, int64_t height);

}  // namespace ldm
