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
      to_out_(add(*this, o.out_name, linear(o.heads * o.dim_head, o.query_dim))),
      to_qkv_({to_q_, to_k_, to_v_}) {}

torch::Tensor CrossAttention::forward(const torch::Tensor& x, const Context& context,
                                      const torch::Tensor& mask) const {
  const auto [q, kv] = project(x, context);
  const auto allowed = mask.defined() ? mask.unsqueeze(1).unsqueeze(1) : mask;  // [N, 1, 1, S]
  const auto out = merge_heads(attention(q, kv.k, kv.v, allowed));
  return at::dropout(to_out_(out), options_.dropout, is_training());
}

std::pair<torch::Tensor, Context::KeysValues> CrossAttention::project(const torch::Tensor& x,
                                                                      const Context& context) const {
  const auto heads = options_.heads;
  if (context.defined()) return {split_heads(to_q_(x), heads), keys_values(context)};
  const auto qkv = to_qkv_(x);
  return {split_heads(qkv[0], heads), {split_heads(qkv[1], heads), split_heads(qkv[2], heads)}};
}

Context::KeysValues CrossAttention::keys_values(const Context& context) const {
  auto* const remembered = context.remembered_.get();
  if (remembered) {
    if (const auto found = remembered->find(this); found != remembered->end()) return found->second;
  }
  Context::KeysValues kv{split_heads(to_k_(context.tokens()), options_.heads),
                         split_heads(to_v_(context.tokens()), options_.heads)};
  if (remembered) remembered->emplace(this, kv);
  return kv;
}

}  // namespace ldm
