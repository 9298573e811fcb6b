#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <filesystem>
#include <memory>
#include <vector>

#include "ldm/nn/layers.h"

namespace ldm {

// A convolution with its batch norm folded in, padded as TensorFlow's "SAME" (the odd pixel right and below).
// forward: x [N, Cin, H, W] -> [N, Cout, ceil(H/stride), ceil(W/stride)]. Parameters: weight [Cout,
// Cin/groups, k, k], bias [Cout].
class SameConvModule : public torch::nn::Module {
 public:
  SameConvModule(int64_t in_channels, int64_t out_channels, int64_t kernel, int64_t stride, bool depthwise);
  torch::Tensor forward(const torch::Tensor& x) const;
  torch::Tensor weight, bias;

 private:
  int64_t kernel_, stride_, groups_;
};

// Inverted residual block (Sandler et al. 2018) without squeeze and excitation. Parameters: expand,
// depthwise, project.
class MobileBlock : public torch::nn::Module {
 public:
  MobileBlock(int64_t in_channels, int64_t out_channels, int64_t expansion, int64_t kernel, int64_t stride);
  torch::Tensor forward(const torch::Tensor& x) const;

 private:
  Layer<SameConvModule> expand_, depthwise_, project_;  // expand_ is empty without an expansion.
  bool residual_;
};

// A perceptual distance in the manner of LPIPS (Zhang et al. 2018) on the first five blocks of
// EfficientNet-Lite0 (Tan and Le 2019), a small ImageNet network: the mean over positions of the squared
// difference of unit-normalised features, summed over four feature maps. forward: x, y [N, 3, H, W] in [-1,
// 1] -> [N, 1, 1, 1]. Gradients reach x and y, never the weights. Parameters: stem,
// blocks.{0..4}.{expand,depthwise,project}.
class EfficientNetPerceptual : public torch::nn::Module {
 public:
  EfficientNetPerceptual();
  // The converted weights (scripts/convert_efficientnet_lite0.py). Throws kFormat if they do not fit.
  static std::shared_ptr<EfficientNetPerceptual> from_file(const std::filesystem::path& path);

  torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& y) const;
  // After the stem and after blocks 0, 2 and 4: [N, 32, H/2, W/2], [N, 16, H/2, W/2], [N, 24, H/4, W/4], [N,
  // 40, H/8, W/8].
  std::vector<torch::Tensor> taps(const torch::Tensor& x) const;

 private:
  Layer<SameConvModule> stem_;
  std::vector<Layer<MobileBlock>> blocks_;
};

}  // namespace ldm
