#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ldm/core/random.h"
#include "ldm/image/image.h"

namespace ldm {

// The original's ways (ImageNetSR) to a low-resolution picture: "cv_nearest", "cv_bilinear", "cv_bicubic",
// "cv_area", "cv_lanczos" (OpenCV's kernels), "pil_nearest", "pil_bilinear", "pil_bicubic", "pil_box",
// "pil_hamming", "pil_lanczos" (Pillow's) and the random chains "bsrgan", "bsrgan_light" (Zhang et al. 2021,
// "Designing a practical degradation model for deep blind image super-resolution", as the original has it).
const std::vector<std::string>& degradation_names();

// Throws kUsage, with the nearest name, unless `name` is one of them.
void check_degradation(std::string_view name);

// The shorter side becomes shorter / factor, rounded down. Only the bsrgan chains use `random`. The picture
// is RGB, sides at least `factor` pixels (kUsage); factor >= 1.
Image degrade(const Image& image, std::string_view name, int64_t factor, Random random);

}  // namespace ldm
