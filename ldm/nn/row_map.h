#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <memory>

#include "ldm/nn/layers.h"

namespace ldm {

// A feature map [1, C, H, W] of which any rows can be had without the others being in memory: they are made
// on demand from rows of the map that it comes from. Results are those of the whole map, up to rounding.
class RowMap {
 public:
  RowMap(int64_t channels, int64_t height, int64_t width)
      : channels_(channels), height_(height), width_(width) {}
  virtual ~RowMap() = default;
  RowMap(const RowMap&) = delete;
  RowMap& operator=(const RowMap&) = delete;

  // Rows [first, last) with 0 <= first < last <= height: [1, C, last - first, W].
  virtual torch::Tensor rows(int64_t first, int64_t last) const = 0;
  // The whole, if it lies in memory; otherwise undefined.
  virtual torch::Tensor stored() const { return {}; }

  int64_t channels() const { return channels_; }
  int64_t height() const { return height_; }
  int64_t width() const { return width_; }
  int64_t row_bytes() const { return channels_ * width_ * static_cast<int64_t>(sizeof(float)); }
  int64_t bytes() const { return height_ * row_bytes(); }  // At most: values may be stored narrower.

 private:
  int64_t channels_, height_, width_;
};
using RowMapPtr = std::shared_ptr<const RowMap>;

RowMapPtr stored_map(torch::Tensor x);  // x [1, C, H, W]

// Of each pixel alone.
using PixelFn = std::function<torch::Tensor(const torch::Tensor&)>;
RowMapPtr mapped(RowMapPtr x, PixelFn f);
RowMapPtr added(RowMapPtr a, RowMapPtr b);

// A convolution of stride 1 that keeps the size; 1x1 included.
RowMapPtr convolved(RowMapPtr x, Conv2d conv);
// Zeros to the right and below, then the convolution of kernel 3 and stride 2; without one the mean of 2x2.
RowMapPtr halved(RowMapPtr x, Conv2d conv);
// Each pixel twice in both directions.
RowMapPtr doubled(RowMapPtr x);
// factor x factor pixels folded into channels, and back (at::pixel_unshuffle, at::pixel_shuffle).
RowMapPtr folded(RowMapPtr x, int64_t factor);
RowMapPtr unfolded(RowMapPtr x, int64_t factor);

// The rows that were asked for last stay, so that asking for some of them again costs nothing.
RowMapPtr remembered(RowMapPtr x);

}  // namespace ldm
