#include "ldm/nn/attention_block.h"

#include <ATen/ATen.h>

#include "ldm/core/error.h"

namespace ldm {

AttentionBlock::AttentionBlock(const AttentionBlockOptions& o)
    : options_(o),
      norm_(add(*this, "norm", group_norm(o.channels))),
      qkv_(add(*this, "qkv", pointwise(o.channels, 3 * o.channels, 1))),
      proj_out_(add(*this, "proj_out", zeroed(pointwise(o.channels, o.channels, 1)))) {
  check(o.heads > 0 && o.channels % o.heads == 0, "AttentionBlock: expected a number of heads that divides ",
        o.channels, " channels, got ", o.heads);
}

torch::Tensor split_qkv(const torch::Tensor& qkv, int64_t heads, bool new_order) {
  const int64_t n = qkv.size(0), d = qkv.size(2) / 3 / heads;
  if (new_order) return qkv.view({n, -1, 3, heads, d}).permute({2, 0, 3, 1, 4});
  return qkv.view({n, -1, heads, 3, d}).permute({3, 0, 2, 1, 4});
}

torch::Tensor AttentionBlock::forward(const torch::Tensor& x) const {
  const auto qkv = split_qkv(qkv_(pixels_to_tokens(norm_(x))), options_.heads, options_.new_order);
  const auto h = merge_heads(attention(qkv[0], qkv[1], qkv[2]));
  return x + tokens_to_pixels(proj_out_(h), x);
}

}  // namespace ldm
