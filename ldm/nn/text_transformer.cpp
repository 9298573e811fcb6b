#include "ldm/nn/text_transformer.h"

#include <ATen/ATen.h>

#include <string>

#include "ldm/core/error.h"

namespace ldm {
namespace {

constexpr double kEmbeddingStd = 0.02;

// Bounds far above any real network, so that a hostile file cannot ask for endless ones.
void check_text_range(const char* name, int64_t value, int64_t low, int64_t high) {
  check(value >= low && value <= high, "text_transformer: expected ", name, " of ", low, " to ", high,
        ", got ", value);
}

void check_options(const TextTransformerOptions& o) {
  check_text_range("n_embed", o.n_embed, 1, 1 << 16);
  check_text_range("n_layer", o.n_layer, 0, 1 << 10);
  check_text_range("vocab_size", o.vocab_size, 1, 1 << 24);
  check_text_range("max_seq_len", o.max_seq_len, 1, 1 << 20);
  check_text_range("heads", o.heads, 1, 1 << 10);
  check_text_range("dim_head", o.dim_head, 1, 1 << 12);
  check_text_range("ff_mult", o.ff_mult, 1, 1 << 6);
}

}  // namespace

TextTransformer::TextTransformer(const TextTransformerOptions& o) : options_(o) {
  check_options(o);
  token_emb_ = add(*this, "token_emb", embedding(o.vocab_size, o.n_embed, kEmbeddingStd));
  pos_emb_ = add(*this, "pos_emb.emb", embedding(o.max_seq_len, o.n_embed, kEmbeddingStd));
  for (int64_t k = 0; k < o.n_layer; ++k) {
    const auto attn_name = "attn_layers.layers." + std::to_string(2 * k);
    const auto ff_name = "attn_layers.layers." + std::to_string(2 * k + 1);
    const CrossAttentionOptions attn{
        .query_dim = o.n_embed, .heads = o.heads, .dim_head = o.dim_head, .out_name = "to_out"};
    const FeedForwardOptions ff{.dim = o.n_embed, .mult = o.ff_mult};
    blocks_.push_back({.attn_norm = add(*this, attn_name + ".0", layer_norm(o.n_embed)),
                       .attn = add(*this, attn_name + ".1", std::make_shared<CrossAttention>(attn)),
                       .ff_norm = add(*this, ff_name + ".0", layer_norm(o.n_embed)),
                       .ff = add(*this, ff_name + ".1", std::make_shared<FeedForward>(ff))});
  }
  norm_ = add(*this, "norm", layer_norm(o.n_embed));
  if (o.with_logits) to_logits_ = add(*this, "to_logits", linear(o.n_embed, o.vocab_size));
}

torch::Tensor TextTransformer::forward(const torch::Tensor& tokens) const {
  check(tokens.dim() == 2 && tokens.size(1) <= options_.max_seq_len,
        "text_transformer: expected tokens of shape [N, T] with T <= ", options_.max_seq_len, ", got ",
        tokens.sizes());
  auto x = token_emb_(tokens) + pos_emb_->weight.narrow(0, 0, tokens.size(1));
  x = at::dropout(x, options_.embedding_dropout, is_training());
  for (const auto& block : blocks_) {
    x = x + block.attn->forward(block.attn_norm(x));
    x = x + block.ff->forward(block.ff_norm(x));
  }
  return norm_(x);
}

torch::Tensor TextTransformer::logits(const torch::Tensor& embeddings) const {
  check(static_cast<bool>(to_logits_), "text_transformer: logits expect the option with_logits");
  return to_logits_(embeddings);
}

}  // namespace ldm
