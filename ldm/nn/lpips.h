#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <memory>
#include <vector>

#include "ldm/nn/layers.h"
#include "ldm/nn/state_dict.h"

namespace ldm {

enum class LpipsNet { kVgg, kAlex };

struct LpipsOptions {
  LpipsNet net = LpipsNet::kVgg;
  bool use_dropout =
      true;  // Dropout(0.5) on the squared differences while training; also names the `lin` weights.
};

// Learned perceptual distance (Zhang et al. 2018, version 0.1): squared differences of unit-normalised
// features at five ReLU layers of an ImageNet network, weighted per channel, averaged over positions, summed.
// forward: x, y [N, 3, H, W] in [-1, 1], H and W at least 32 -> [N, 1, 1, 1]. Gradients reach x and y, never
// the weights. Parameters: net.slice{1..5}.{i} (torchvision's indices), lin{0..4}.model.1.weight [1, C, 1, 1]
// (model.0 without dropout); buffers: scaling_layer.shift, scaling_layer.scale.
class Lpips : public torch::nn::Module {
 public:
  explicit Lpips(const LpipsOptions& options = {});

  // From the tensors of a file: of the lpips package (which lists the linear weights a second time as
  // lins.*), or of an original checkpoint (perceptual_loss.*, loss.perceptual_loss.*). VGG16 or AlexNet, and
  // with or without dropout layers, follows from them. In evaluation mode. Throws kFormat with the table of
  // what does not fit.
  static std::shared_ptr<Lpips> from_tensors(const StateDict& tensors);

  torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& y) const;
  std::vector<torch::Tensor> layers(const torch::Tensor& x,
                                    const torch::Tensor& y) const;  // The five summands.
  std::vector<torch::Tensor> taps(const torch::Tensor& x) const;    // The five feature maps, not normalised.

 private:
  struct Step {
    Conv2d conv;
    bool pool = false;  // Max pooling before it.
    bool tap = false;   // Its ReLU is a tap.
  };

  LpipsOptions options_;
  std::vector<Step> steps_;
  std::vector<Conv2d> lin_;
  torch::Tensor shift_, scale_;
};

}  // namespace ldm
