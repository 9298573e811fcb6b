#pragma once

#include <torch/nn/module.h>

#include <map>
#include <memory>
#include <string>

#include "ldm/nn/layers.h"

namespace ldm {

class CrossAttention;

// What cross-attention looks at: tokens [N, T, D], or nothing. Made from a tensor without a word.
// A remembering context keeps the keys and values that each layer makes of it, so that the steps of a sampler
// compute them once per image; it is for one thread, one set of weights, and inference only.
class Context {
 public:
  struct KeysValues {
    torch::Tensor k, v;  // [N, heads, T, D]
  };

  Context() = default;
  Context(torch::Tensor tokens) : tokens_(std::move(tokens)) {}  // NOLINT: implicit on purpose.
  static Context remembering(torch::Tensor tokens);

  bool defined() const { return tokens_.defined(); }
  const torch::Tensor& tokens() const { return tokens_; }
  // The same context in another dtype; returns *this where nothing changes.
  Context to(at::ScalarType type) const;

 private:
  friend class CrossAttention;
  torch::Tensor tokens_;
  std::shared_ptr<std::map<const CrossAttention*, KeysValues>> remembered_;  // Null: nothing is kept.
};

struct CrossAttentionOptions {
  int64_t query_dim = 0;
  int64_t context_dim = 0;  // Width of the tokens attended to; 0: query_dim.
  int64_t heads = 8;
  int64_t dim_head = 64;
  double dropout = 0.0;
  std::string out_name = "to_out.0";  // The UNet's spelling; text transformers say "to_out".
};

// Multi-head attention from x to a context, or to x itself without one (Rombach et al. 2022, Eq. 2).
// x [N, T, query_dim], context [N, S, context_dim], mask bool [N, S] (true: may be looked at) -> [N, T,
// query_dim]. Parameters: to_q, to_k, to_v (no bias), to_out.0.
class CrossAttention : public torch::nn::Module, public PreparedForInference {
 public:
  explicit CrossAttention(const CrossAttentionOptions& options);
  torch::Tensor forward(const torch::Tensor& x, const Context& context = {},
                        const torch::Tensor& mask = {}) const;
  void prepare_for_inference() override { to_qkv_.prepare_for_inference(); }

 private:
  // Queries [N, heads, T, D], and keys and values of the context or of x.
  std::pair<torch::Tensor, Context::KeysValues> project(const torch::Tensor& x, const Context& context) const;
  Context::KeysValues keys_values(const Context& context) const;

  CrossAttentionOptions options_;
  Linear to_q_;
  Linear to_k_;
  Linear to_v_;
  Linear to_out_;
  LinearGroup to_qkv_;  // The first three, for attention to x itself.
};

}  // namespace ldm
