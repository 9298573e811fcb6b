#include "ldm/nn/cross_attention.h"

#include <ATen/ATen.h>

#include <utility>

#include "ldm/core/error.h"

namespace ldm {

Context Context::remembering(torch::Tensor tokens) {
  Context context(std::move(tokens));
  context.remembered_ = std::make_shared<std::map<const CrossAttention*, KeysValues>>();
  return context;
}

Context Context::to(at::ScalarType type) const {
  Context other = *this;
  if (defined()) other.tokens_ = tokens_.to(type);
  return other;
}

CrossAttention::CrossAttention(const CrossAttentionOptions& o)
    : options_(o),
      to_q_(add(*this, "to_q", linear(o.query_dim, o.heads * o.dim_head, /*bias=*/false))),
      to_k_(add(*this, "to_k",
                linear(o.context_dim > 0 ? o.context_dim : o.query_dim, o.heads * o.dim_head, false))),
      to_v_(add(*this, "to_v",
                linear(o.context_dim > 0 ? o.context_dim : o.query_dim, o.heads * o.dim_head, false))),
      to_out_(add(*this, o.out_name, linear(o.heads * o.dim_head, o.query_dim))) {}

torch::Tensor CrossAttention::forward(const torch::Tensor& x, const Context& context,
                                      const torch::Tensor& mask) const {
  const auto [k, v] = keys_values(x, context);
  const auto q = split_heads(to_q_(x), options_.heads);
  const auto allowed = mask.defined() ? mask.unsqueeze(1).unsqueeze(1) : mask;  // [N, 1, 1, S]
  return at::dropout(to_out_(merge_heads(attention(q, k, v, allowed))), options_.dropout, is_training());
}

Context::KeysValues CrossAttention::keys_values(const torch::Tensor& x, const Context& context) const {
  const auto& source = context.defined() ? context.tokens() : x;
  auto* const remembered = context.remembered_.get();
  if (remembered) {
    if (const auto found = remembered->find(this); found != remembered->end()) return found->second;
  }
  Context::KeysValues kv{split_heads(to_k_(source), options_.heads),
                         split_heads(to_v_(source), options_.heads)};
  if (remembered) remembered->emplace(this, kv);
  return kv;
}

}  // namespace ldm
