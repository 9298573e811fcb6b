#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "ldm/image/image.h"

namespace ldm {

enum class Filter { kNearest, kBox, kBilinear, kHamming, kBicubic, kLanczos };

// "nearest", "box", "bilinear", "hamming", "bicubic", "lanczos". Throws kUsage on another name.
Filter parse_filter(std::string_view name);

// Image.resize of Pillow, bit for bit: two passes with antialiasing support, coefficients of 22 bits, uint8
// between the passes. h x w to H x W runs the vertical pass first if h - H > 2 max(w - W, 0), as Pillow 13
// does (older: never). RGBA is resized with premultiplied alpha (not for kNearest). Throws kUsage if a size
// is below 1 or above 65536.
Image resize(const Image& image, int64_t width, int64_t height, Filter filter);

// Resized to cover width x height with its own proportions, and cut to that around the middle.
Image cover(const Image& image, int64_t width, int64_t height, Filter filter);

// The same for one plane [H, W] of float32 of any range (Pillow's mode F): double sums, float32 between the
// passes.
std::vector<float> resize_plane(std::span<const float> plane, int64_t width, int64_t height,
                                int64_t out_width, int64_t out_height, Filter filter);

}  // namespace ldm
