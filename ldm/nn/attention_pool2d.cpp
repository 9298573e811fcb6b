#include "ldm/nn/attention_pool2d.h"

#include <ATen/ATen.h>

#include <cmath>

#include "ldm/core/error.h"
#include "ldm/nn/attention_block.h"

namespace ldm {

AttentionPool2d::AttentionPool2d(const AttentionPool2dOptions& o) : options_(o) {
  check(o.size > 0 && o.channels > 0 && o.out_channels > 0,
        "AttentionPool2d: expected a positive size, width and number of results, got ", o.size, ", ",
        o.channels, " and ", o.out_channels);
  check(o.head_channels > 0 && o.channels % o.head_channels == 0,
        "AttentionPool2d: expected num_head_channels to divide ", o.channels, " channels, got ",
        o.head_channels);
  positions_ = register_parameter(
      "positional_embedding",
      init_normal({o.channels, o.size * o.size + 1}, 1.0 / std::sqrt(static_cast<double>(o.channels))));
  qkv_proj_ = add(*this, "qkv_proj", pointwise(o.channels, 3 * o.channels, 1));
  c_proj_ = add(*this, "c_proj", pointwise(o.channels, o.out_channels, 1));
}

torch::Tensor AttentionPool2d::forward(const torch::Tensor& x) const {
  check(x.dim() == 4 && x.size(2) * x.size(3) + 1 == positions_.size(1),
        "AttentionPool2d: expected features of ", options_.size, " x ", options_.size, ", got ", x.sizes());
  const auto pixels = x.flatten(2);  // [N, C, S S]
  const auto tokens = at::cat({pixels.mean(-1, /*keepdim=*/true), pixels}, -1) + positions_;
  const auto qkv = split_qkv(qkv_proj_(tokens.transpose(1, 2)), options_.channels / options_.head_channels,
                             /*new_order=*/true);
  const auto mean_query = qkv[0].narrow(2, 0, 1);  // Only the first token's result is used.
  return c_proj_(merge_heads(attention(mean_query, qkv[1], qkv[2]))).squeeze(1);
}

}  // namespace ldm
