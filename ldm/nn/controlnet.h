#pragma once

#include <torch/nn/module.h>

#include <vector>

#include "ldm/nn/layers.h"
#include "ldm/nn/unet_options.h"
#include "ldm/nn/unet_trunk.h"

namespace ldm {

// The keys of the UNet that it controls, and one more.
struct ControlNetOptions {
  UNetOptions unet;
  int64_t hint_channels = 3;  // Channels of the hint picture.

  template <typename Visit>
  void fields(Visit&& visit) {
    unet.fields(visit);
    visit("hint_channels", hint_channels, "channels of the hint picture");
  }
};

// A trainable copy of a UNet's way down that sees a hint (edges, poses, depth) and steers the frozen UNet by
// residuals (Zhang et al. 2023, Sec. 3). Starts without any effect. Parameters: those of UNetTrunk,
// input_hint_block.{0,2,..,14}, zero_convs.{i}.0, middle_block_out.0.
class ControlNet : public torch::nn::Module {
 public:
  static constexpr int64_t kHintPixels = 8;  // Pixels of the hint per latent, in each direction.

  explicit ControlNet(const ControlNetOptions& options);

  // x, t, context, y as for the UNet; hint [N, hint_channels, 8 H, 8 W] in [0, 1] -> one residual per input
  // block and one for the middle, for UNet::forward, in the weights' dtype.
  std::vector<torch::Tensor> forward(const torch::Tensor& x, const torch::Tensor& hint,
                                     const torch::Tensor& t, const Context& context = {},
                                     const torch::Tensor& y = {}) const;

  const ControlNetOptions& options() const { return options_; }

 private:
  ControlNet(const ControlNetOptions& options, const UNetPlan& plan);
  torch::Tensor encode_hint(const torch::Tensor& hint) const;

  ControlNetOptions options_;
  UNetTrunk trunk_;
  std::vector<Conv2d> hint_;
  std::vector<Conv2d> zero_convs_;
  Conv2d middle_out_;
};

}  // namespace ldm
