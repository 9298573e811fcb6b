#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ldm/nn/clip_block.h"
#include "ldm/nn/layers.h"

namespace ldm {

// Keys of a text_encoder/config.json (transformers' CLIPTextConfig). The defaults are OpenAI's ViT-L/14.
struct ClipTextOptions {
  int64_t vocab_size = 49408;
  int64_t hidden_size = 768;
  int64_t intermediate_size = 3072;
  int64_t num_hidden_layers = 12;
  int64_t num_attention_heads = 12;
  int64_t max_position_embeddings = 77;
  std::string hidden_act = "quick_gelu";
  double layer_norm_eps = 1e-5;
  int64_t projection_dim = 0;  // Width of the projected pooled state; 0: the tower has no projection.
  // The token at which a text is pooled: the first one of this id. Nothing, or 2 (which old files say by
  // mistake): the greatest id, which is the end in CLIP's vocabulary.
  std::optional<int64_t> eos_token_id;
  ClipNaming naming = ClipNaming::kHuggingFace;

  template <typename Visit>
  void fields(Visit&& visit) {
    visit("vocab_size", vocab_size, "number of tokens known");
    visit("hidden_size", hidden_size, "width");
    visit("intermediate_size", intermediate_size, "inner width of the feed-forward layers");
    visit("num_hidden_layers", num_hidden_layers, "number of layers");
    visit("num_attention_heads", num_attention_heads, "attention heads");
    visit("max_position_embeddings", max_position_embeddings, "longest sequence in tokens");
    visit("hidden_act", hidden_act, "quick_gelu or gelu");
    visit("layer_norm_eps", layer_norm_eps, "epsilon of the norms");
    visit("projection_dim", projection_dim, "width of the projected pooled state; 0: none");
    visit("eos_token_id", eos_token_id, "token at which a text is pooled");
  }
};

// What a tower made of a text.
struct ClipTextStates {
  torch::Tensor hidden;  // [N, T, W] after all layers but the skipped ones, before the final norm.
  torch::Tensor last;    // [N, T, W] after the whole tower and its final norm; undefined unless asked for.
};

// CLIP's text tower (Radford et al. 2021): learned positions, causal pre-norm blocks, a final norm. With the
// names of transformers' CLIPTextModelWithProjection (text_model.*, text_projection.weight), or those of
// OpenCLIP (token_embedding, positional_embedding, transformer.resblocks.*, ln_final, text_projection,
// logit_scale).
class ClipText : public torch::nn::Module {
 public:
  // Throws kUsage for sizes that are out of range.
  explicit ClipText(const ClipTextOptions& options);

  // tokens [N, T] int64, T <= max_position_embeddings. clip_skip 1 takes the state after the last layer, 2
  // after the last but one, and so on. Throws kUsage for a clip_skip outside 1..num_hidden_layers.
  ClipTextStates forward(const torch::Tensor& tokens, int64_t clip_skip = 1, bool whole = false) const;

  // The norm at the end, of any state [N, T, W].
  torch::Tensor final_norm(const torch::Tensor& hidden) const { return final_norm_(hidden); }
  // The state at the end of each text: tokens [N, T], last [N, T, W] -> [N, W].
  torch::Tensor pooled(const torch::Tensor& tokens, const torch::Tensor& last) const;
  // [N, W] -> [N, projection_dim]. Throws kUsage for a tower without projection.
  torch::Tensor projected(const torch::Tensor& pooled) const;

  const ClipTextOptions& options() const { return options_; }
  // [vocab_size, W]: words learned from pictures are rows of it.
  EmbeddingModule& token_embedding() { return *token_embedding_.ptr(); }

 private:
  ClipTextOptions options_;
  Embedding token_embedding_;
  torch::Tensor positions_;  // [max_position_embeddings, W]
  std::vector<std::shared_ptr<ClipBlock>> blocks_;
  LayerNorm final_norm_;
  Linear projection_;                   // Hugging Face.
  torch::Tensor projection_parameter_;  // OpenCLIP: [W, E].
};

}  // namespace ldm
