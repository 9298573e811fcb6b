#include "ldm/nn/transformer_block.h"

#include <ATen/ATen.h>

#include <memory>

namespace ldm {
namespace {

std::shared_ptr<CrossAttention> block_attention(const TransformerBlockOptions& o, int64_t context_dim) {
  return std::make_shared<CrossAttention>(CrossAttentionOptions{.query_dim = o.dim,
                                                                .context_dim = context_dim,
                                                                .heads = o.heads,
                                                                .dim_head = o.dim_head,
                                                                .dropout = o.dropout});
}

}  // namespace

FeedForward::FeedForward(const FeedForwardOptions& o)
    : options_(o),
      proj_(add(*this, o.glu ? "net.0.proj" : "net.0.0", linear(o.dim, (o.glu ? 2 : 1) * o.mult * o.dim))),
      out_(add(*this, "net.2", linear(o.mult * o.dim, o.dim_out > 0 ? o.dim_out : o.dim))) {}

torch::Tensor FeedForward::forward(const torch::Tensor& x) const {
  auto h = proj_(x);
  if (options_.glu) {
    const auto value_gate = h.chunk(2, /*dim=*/-1);
    h = value_gate[0] * at::gelu(value_gate[1]);
  } else {
    h = at::gelu(h);
  }
  return out_(at::dropout(h, options_.dropout, is_training()));
}

BasicTransformerBlock::BasicTransformerBlock(const TransformerBlockOptions& o)
    : disable_self_attn_(o.disable_self_attn),
      attn1_(add(*this, "attn1", block_attention(o, o.disable_self_attn ? o.context_dim : 0))),
      ff_(add(*this, "ff",
              std::make_shared<FeedForward>(FeedForwardOptions{
                  .dim = o.dim, .mult = o.ff_mult, .glu = o.gated_ff, .dropout = o.dropout}))),
      attn2_(add(*this, "attn2", block_attention(o, o.context_dim))),
      norm1_(add(*this, "norm1", layer_norm(o.dim))),
      norm2_(add(*this, "norm2", layer_norm(o.dim))),
      norm3_(add(*this, "norm3", layer_norm(o.dim))) {}

torch::Tensor BasicTransformerBlock::forward(const torch::Tensor& x, const Context& context) const {
  auto h = x + attn1_->forward(norm1_(x), disable_self_attn_ ? context : Context{});
  h = h + attn2_->forward(norm2_(h), context);
  return h + ff_->forward(norm3_(h));
}

}  // namespace ldm
