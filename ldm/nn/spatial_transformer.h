#pragma once

#include <torch/nn/module.h>

#include <memory>
#include <vector>

#include "ldm/nn/layers.h"
#include "ldm/nn/transformer_block.h"

namespace ldm {

struct SpatialTransformerOptions {
  int64_t in_channels = 0;
  int64_t heads = 1;
  int64_t dim_head = 64;  // The transformer is heads * dim_head wide.
  int64_t depth = 1;      // Number of transformer blocks.
  double dropout = 0.0;
  int64_t context_dim = 0;  // 0: no context.
  int64_t ff_mult = 4;      // Inner width of the feed-forward layers, times the width.
  bool use_linear =
      false;  // proj_in and proj_out are stored as linear layers [D, C] instead of [D, C, 1, 1].
  bool disable_self_attn = false;  // The first attention of each block looks at the context too.
};

// A transformer over the pixels of a feature map, with a residual (Rombach et al. 2022, App. E.2.1).
// x [N, C, H, W], context [N, S, context_dim] -> [N, C, H, W].
// Parameters: norm, proj_in, transformer_blocks.{k}, proj_out.
class SpatialTransformer : public torch::nn::Module {
 public:
  explicit SpatialTransformer(const SpatialTransformerOptions& options);
  torch::Tensor forward(const torch::Tensor& x, const Context& context = {}) const;

 private:
  GroupNorm norm_;
  Linear proj_in_;
  std::vector<std::shared_ptr<BasicTransformerBlock>> blocks_;
  Linear proj_out_;
};

}  // namespace ldm
