#pragma once

#include <torch/nn/module.h>

#include "ldm/nn/layers.h"

namespace ldm {

struct AttentionBlockOptions {
  int64_t channels = 0;
  int64_t heads = 1;       // Must divide channels.
  bool new_order = false;  // The 3C outputs of qkv are [q|k|v] of all heads instead of [q|k|v] head by head.
};

// [N, T, 3C] -> queries, keys and values [3, N, heads, T, C / heads]: views.
torch::Tensor split_qkv(const torch::Tensor& qkv, int64_t heads, bool new_order);

// Self-attention over the pixels of a feature map with a residual (Dhariwal & Nichol 2021, Sec. 3).
// x [N, C, H, W] -> the same shape. Parameters: norm, qkv [3C, C, 1], proj_out [C, C, 1].
class AttentionBlock : public torch::nn::Module {
 public:
  explicit AttentionBlock(const AttentionBlockOptions& options);
  torch::Tensor forward(const torch::Tensor& x) const;

 private:
  AttentionBlockOptions options_;
  GroupNorm norm_;
  Linear qkv_;
  Linear proj_out_;
};

}  // namespace ldm
