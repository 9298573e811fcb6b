#include "ldm/nn/spatial_transformer.h"

#include <string>

namespace ldm {
namespace {

constexpr double kSpatialNormEps = 1e-6;  // Not 1e-5 as in the other blocks.

std::shared_ptr<BasicTransformerBlock> transformer_block(const SpatialTransformerOptions& o) {
  return std::make_shared<BasicTransformerBlock>(
      TransformerBlockOptions{.dim = o.heads * o.dim_head,
                              .heads = o.heads,
                              .dim_head = o.dim_head,
                              .dropout = o.dropout,
                              .context_dim = o.context_dim,
                              .ff_mult = o.ff_mult,
                              .disable_self_attn = o.disable_self_attn});
}

}  // namespace

SpatialTransformer::SpatialTransformer(const SpatialTransformerOptions& o)
    : norm_(add(*this, "norm", group_norm(o.in_channels, kSpatialNormEps))),
      proj_in_(add(*this, "proj_in", pointwise(o.in_channels, o.heads * o.dim_head, o.use_linear ? 0 : 2))) {
  for (int64_t k = 0; k < o.depth; ++k) {
    blocks_.push_back(add(*this, "transformer_blocks." + std::to_string(k), transformer_block(o)));
  }
  proj_out_ =
      add(*this, "proj_out", zeroed(pointwise(o.heads * o.dim_head, o.in_channels, o.use_linear ? 0 : 2)));
}

torch::Tensor SpatialTransformer::forward(const torch::Tensor& x, const Context& context) const {
  auto h = proj_in_(pixels_to_tokens(norm_(x)));  // [N, HW, D]
  for (const auto& block : blocks_) h = block->forward(h, context);
  return x + tokens_to_pixels(proj_out_(h), x);
}

}  // namespace ldm
