#pragma once

#include <torch/nn/module.h>

#include "ldm/nn/layers.h"

namespace ldm {

struct AttentionPool2dOptions {
  int64_t size = 0;  // Height and width of the feature map.
  int64_t channels = 0;
  int64_t head_channels = 64;  // Must divide channels.
  int64_t out_channels = 0;
};

// A feature map as one vector: the mean attends to the pixels (CLIP, Radford et al. 2021, Sec. 2.4, as in
// ADM's classifier). x [N, C, S, S] -> [N, out_channels].
// Parameters: positional_embedding [C, S S + 1], qkv_proj [3C, C, 1], c_proj [out, C, 1].
class AttentionPool2d : public torch::nn::Module {
 public:
  // Throws kUsage for sizes that do not fit.
  explicit AttentionPool2d(const AttentionPool2dOptions& options);
  torch::Tensor forward(const torch::Tensor& x) const;

 private:
  AttentionPool2dOptions options_;
  torch::Tensor positions_;
  Linear qkv_proj_;
  Linear c_proj_;
};

}  // namespace ldm
