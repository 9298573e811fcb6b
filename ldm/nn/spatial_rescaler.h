#pragma once

#include <torch/nn/module.h>

#include <cstdint>
#include <optional>
#include <string>

#include "ldm/nn/layers.h"

namespace ldm {

// Keys of the original's SpatialRescaler.
struct SpatialRescalerOptions {
  int64_t n_stages = 1;             // How often the map is resized; 0: not at all.
  std::string method = "bilinear";  // nearest, bilinear, bicubic or area.
  double multiplier = 0.5;          // Factor on height and width in each stage.
  int64_t in_channels = 3;
  std::optional<int64_t> out_channels;  // A 1x1 convolution at the end; none: the channels stay.
  bool bias = false;                    // Of that convolution.

  template <typename Visit>
  void fields(Visit&& visit) {
    visit("n_stages", n_stages, "how often the map is resized");
    visit("method", method, "nearest, bilinear, bicubic or area");
    visit("multiplier", multiplier, "factor on height and width in each stage");
    visit("in_channels", in_channels, "channels of the map");
    visit("out_channels", out_channels, "channels after a 1x1 convolution; absent: no convolution");
    visit("bias", bias, "the 1x1 convolution has a bias");
  }
};

// Brings a condition's map (semantic labels, a picture) to the size of the latents: n_stages of PyTorch's
// interpolate without antialiasing (the size is rounded down each time), then a 1x1 convolution.
// x [N, in_channels, H, W] -> [N, out_channels, h, w]. Parameters: channel_mapper.
class SpatialRescaler {
 public:
  // Registers its layer in `parent`. Throws kUsage for an unknown method and values out of range.
  SpatialRescaler(torch::nn::Module& parent, const SpatialRescalerOptions& options);
  torch::Tensor operator()(const torch::Tensor& x) const;

 private:
  SpatialRescalerOptions options_;
  Conv2d channel_mapper_;  // Empty without out_channels.
};

}  // namespace ldm
