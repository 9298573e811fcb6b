#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "ldm/image/image.h"

namespace ldm {

// The kernels of OpenCV's cv::resize. Unlike those of `Filter` they do not antialias, kArea excepted.
enum class CvFilter { kNearest, kLinear, kCubic, kArea, kLanczos4 };

// "nearest", "linear" (or "bilinear"), "cubic" (or "bicubic"), "area", "lanczos4" (or "lanczos"). Throws
// kUsage on another name.
CvFilter parse_cv_filter(std::string_view name);

// cv::resize of a picture of 1, 3 or 4 channels, each resampled alone (alpha is no exception). kLinear,
// kCubic and kLanczos4 (a = -0.75, 8 taps) sum in fixed point with coefficients of 11 bits. kArea averages
// exactly where both sides shrink and interpolates linearly otherwise; halving both sides exactly makes
// kLinear kArea. Throws kUsage if a side is below 1 or above 65536.
Image resize_cv(const Image& image, int64_t width, int64_t height, CvFilter filter);

// The same for float32 of any range, interleaved [H, W, C] with any number of channels, summed in float32.
// Throws kUsage unless the number of values is width * height * channels.
std::vector<float> resize_cv(std::span<const float> pixels, int64_t width, int64_t height, int64_t channels,
                             int64_t out_width, int64_t out_height, CvFilter filter);

}  // namespace ldm
