#pragma once

#include <torch/nn/module.h>

#include "ldm/nn/layers.h"

namespace ldm {

// x [N, C, H, W] -> [N, C, 2H, 2W] by repeating pixels, and -> [N, C, H/2, W/2] by averaging 2x2 pixels.
torch::Tensor upsample_nearest(const torch::Tensor& x);
torch::Tensor downsample_average(const torch::Tensor& x);

struct ResampleOptions {
  int64_t in_channels = 0;
  int64_t out_channels = 0;  // Differs from in_channels only with a convolution.
  bool use_conv = true;      // Otherwise without parameters.
  int64_t padding = 1;       // Of the convolution.
};

// Halves the size: a 3x3 convolution of stride 2 with symmetric padding, or the mean of 2x2 pixels.
// x [N, Cin, H, W] -> [N, Cout, ceil(H/2), ceil(W/2)] with padding 1 (averaging: floor). Parameters: op.
class Downsample : public torch::nn::Module {
 public:
  explicit Downsample(const ResampleOptions& options);
  torch::Tensor forward(const torch::Tensor& x) const;

 private:
  Conv2d conv_;  // Empty when averaging.
};

// Doubles the size by repeating pixels, then a 3x3 convolution if use_conv.
// x [N, Cin, H, W] -> [N, Cout, 2H, 2W]. Parameters: conv.
class Upsample : public torch::nn::Module {
 public:
  explicit Upsample(const ResampleOptions& options);
  torch::Tensor forward(const torch::Tensor& x) const;

 private:
  Conv2d conv_;  // Empty without a convolution.
};

}  // namespace ldm
