#pragma once

#include <torch/nn/module.h>

#include <memory>
#include <vector>

#include "ldm/nn/cross_attention.h"
#include "ldm/nn/layers.h"
#include "ldm/nn/transformer_block.h"

namespace ldm {

// Keys of the original's BERTEmbedder and TransformerEmbedder, and ours.
struct TextTransformerOptions {
  int64_t n_embed = 640;  // Width.
  int64_t n_layer = 32;
  int64_t vocab_size = 30522;
  int64_t max_seq_len = 77;  // The longest sequence; shorter ones are fine.
  double embedding_dropout = 0.0;
  bool use_tokenizer = true;  // The original's; whoever feeds this network reads it.
  int64_t heads = 8;          // The original's attention is 8 x 64 wide, whatever the width.
  int64_t dim_head = 64;
  int64_t ff_mult = 4;  // Inner width of the feed-forward layers, times the width.
  bool with_logits =
      true;  // Carry the language model's head, which every original checkpoint has and nothing uses.

  template <typename Visit>
  void fields(Visit&& visit) {
    visit("n_embed", n_embed, "width");
    visit("n_layer", n_layer, "number of layers");
    visit("vocab_size", vocab_size, "number of tokens known");
    visit("max_seq_len", max_seq_len, "longest sequence in tokens");
    visit("embedding_dropout", embedding_dropout, "dropout probability after the embeddings");
    visit("use_tokenizer", use_tokenizer, "the condition is text, not token ids");
    visit("heads", heads, "attention heads");
    visit("dim_head", dim_head, "channels per attention head");
    visit("ff_mult", ff_mult, "inner width of the feed-forward layers, times the width");
    visit.ignored("device", "the program's --device says where");
    visit("with_logits", with_logits, "carry the unused language-model head of the original's checkpoints");
  }
};

// BERT-style text encoder (Rombach et al. 2022, App. E.2.1: x-transformers' TransformerWrapper): learned
// positions, pre-norm layers of unmasked self-attention and GELU feed-forward, a final norm. The original
// keeps it under "transformer.". Parameters: token_emb, pos_emb.emb, attn_layers.layers.{2k}.{0,1},
// attn_layers.layers.{2k+1}.{0,1}, norm, to_logits.
class TextTransformer : public torch::nn::Module {
 public:
  explicit TextTransformer(const TextTransformerOptions& options);

  // tokens [N, T] int64, T <= max_seq_len -> [N, T, n_embed], after the final norm.
  torch::Tensor forward(const torch::Tensor& tokens) const;

  // forward()'s result -> [N, T, vocab_size]. Throws kUsage without with_logits.
  torch::Tensor logits(const torch::Tensor& embeddings) const;

  const TextTransformerOptions& options() const { return options_; }
  // [vocab_size, n_embed]: words learned from pictures are rows of it.
  EmbeddingModule& token_embedding() { return *token_emb_.ptr(); }

 private:
  struct Block {
    LayerNorm attn_norm;
    std::shared_ptr<CrossAttention> attn;
    LayerNorm ff_norm;
    std::shared_ptr<FeedForward> ff;
  };

  TextTransformerOptions options_;
  Embedding token_emb_;
  Embedding pos_emb_;
  std::vector<Block> blocks_;
  LayerNorm norm_;
  Linear to_logits_;  // Empty without with_logits.
};

}  // namespace ldm
