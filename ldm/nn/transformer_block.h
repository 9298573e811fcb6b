#pragma once

#include <torch/nn/module.h>

#include "ldm/nn/cross_attention.h"
#include "ldm/nn/layers.h"

namespace ldm {

struct FeedForwardOptions {
  int64_t dim = 0;
  int64_t dim_out = 0;  // 0: dim.
  int64_t mult = 4;     // Inner width, times dim.
  bool glu = false;     // A gate of its own: value * gelu(gate) (Shazeer 2020, GEGLU); otherwise gelu(x).
  double dropout = 0.0;
};

// x [..., dim] -> [..., dim_out], with the exact (erf) GELU. Parameters: net.0.proj (glu) or net.0.0, net.2.
class FeedForward : public torch::nn::Module {
 public:
  explicit FeedForward(const FeedForwardOptions& options);
  torch::Tensor forward(const torch::Tensor& x) const;

 private:
  FeedForwardOptions options_;
  Linear proj_;
  Linear out_;
};

struct TransformerBlockOptions {
  int64_t dim = 0;
  int64_t heads = 1;
  int64_t dim_head = 64;
  double dropout = 0.0;
  int64_t context_dim = 0;  // Width of the context; 0: the second attention also looks at x.
  bool gated_ff = true;
  int64_t ff_mult = 4;
  bool disable_self_attn = false;  // The first attention looks at the context too (Stable Diffusion 2).
};

// Pre-norm transformer block: self-attention, cross-attention, feed-forward, each with a residual (Rombach et
// al. 2022, App. E.2.1; the order is the original code's). x [N, T, dim], context [N, S, context_dim] -> [N,
// T, dim]. Parameters: attn1, ff, attn2, norm{1,2,3}.
class BasicTransformerBlock : public torch::nn::Module {
 public:
  explicit BasicTransformerBlock(const TransformerBlockOptions& options);
  torch::Tensor forward(const torch::Tensor& x, const Context& context = {}) const;

 private:
  bool disable_self_attn_;
  std::shared_ptr<CrossAttention> attn1_;
  std::shared_ptr<FeedForward> ff_;
  std::shared_ptr<CrossAttention> attn2_;
  LayerNorm norm1_;
  LayerNorm norm2_;
  LayerNorm norm3_;
};

}  // namespace ldm
