#pragma once

#include <torch/nn/module.h>

#include "ldm/nn/layers.h"

namespace ldm {

// A change of size inside a block.
enum class Resample { kNone, kDown, kUp };

struct ResBlockOptions {
  int64_t in_channels = 0;
  int64_t out_channels = 0;
  int64_t emb_channels = 0;
  double dropout = 0.0;
  bool use_scale_shift_norm = false;  // The embedding scales and shifts (ADM, Sec. 3) instead of being added.
  bool conv_skip = false;             // A 3x3 instead of a 1x1 convolution where the skip changes the width.
  Resample resample = Resample::kNone;  // Resizes both branches by 2 before the first convolution.
};

// Residual block conditioned on a time embedding (Dhariwal & Nichol 2021, Sec. 3).
// forward: x [N, Cin, H, W], emb [N, E] -> [N, Cout, H', W'].
// Parameters: in_layers.{0,2}, emb_layers.1, out_layers.{0,3}, skip_connection.
class ResBlock : public torch::nn::Module {
 public:
  explicit ResBlock(const ResBlockOptions& options);
  torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& emb) const;

 private:
  ResBlockOptions options_;
  GroupNorm norm_in_;
  Conv2d conv_in_;
  Linear emb_proj_;
  GroupNorm norm_out_;
  Conv2d conv_out_;
  Conv2d skip_;  // Empty when Cin == Cout.
};

}  // namespace ldm
