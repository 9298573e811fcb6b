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

torch::Tensor AttentionBlock::forward(const torch::Tensor& x) const {
  const int64_t n = x.size(0), d = options_.channels / options_.heads;
  const auto qkv = qkv_(pixels_to_tokens(norm_(x)));  // [N, T, 3C]
  const auto split =
      options_.new_order
          ? qkv.view({n, -1, 3, options_.heads, d}).permute({2, 0, 3, 1, 4})
          : qkv.view({n, -1, options_.heads, 3, d}).permute({3, 0, 2, 1, 4});  // [3, N, heads, T, d]
  const auto h = merge_heads(attention(split[0], split[1], split[2]));
  return x + tokens_to_pixels(proj_out_(h), x);
}

}  // namespace ldm
