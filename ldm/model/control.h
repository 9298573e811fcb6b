#pragma once

#include <torch/types.h>

#include <memory>
#include <vector>

#include "ldm/nn/controlnet.h"

namespace ldm {

// A ControlNet with the picture that it follows (Zhang et al. 2023).
struct Control {
  std::shared_ptr<const ControlNet> network;
  torch::Tensor hint;     // [1, hint_channels, 8 H, 8 W] in [0, 1], for latents [N, C, H, W].
  double strength = 1.0;  // Its residuals are multiplied by it; 0: the network is not asked.
};

// What all controls together add inside the UNet, see UNet::forward; empty: nothing. x [N, C, H, W] are the
// latents alone, without the channels of a condition. Throws kUsage for a hint of another size.
std::vector<torch::Tensor> control_residuals(const std::vector<std::shared_ptr<const Control>>& controls,
                                             const torch::Tensor& x, const torch::Tensor& t,
                                             const Context& context, const torch::Tensor& y);

}  // namespace ldm
