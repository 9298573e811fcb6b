#include "ldm/nn/clip_text.h"

#include <ATen/ATen.h>

#include "ldm/core/error.h"

namespace ldm {
namespace {

// As OpenAI's start.
constexpr double kTokenStd = 0.02, kPositionStd = 0.01;

// Bounds far above any real network, so that a hostile file cannot ask for endless ones.
void check_clip_text(const ClipTextOptions& o) {
  const auto in_range = [](const char* name, int64_t value, int64_t low, int64_t high) {
    check(value >= low && value <= high, "clip_text: expected ", name, " of ", low, " to ", high, ", got ",
          value);
  };
  in_range("vocab_size", o.vocab_size, 1, 1 << 24);
  in_range("hidden_size", o.hidden_size, 1, 1 << 16);
  in_range("num_hidden_layers", o.num_hidden_layers, 1, 1 << 10);
  in_range("max_position_embeddings", o.max_position_embeddings, 1, 1 << 20);
  in_range("projection_dim", o.projection_dim, 0, 1 << 16);
}

}  // namespace

ClipText::ClipText(const ClipTextOptions& o) : options_(o) {
  check_clip_text(o);
  const bool hf = o.naming == ClipNaming::kHuggingFace;
  token_embedding_ = add(*this, hf ? "text_model.embeddings.token_embedding" : "token_embedding",
                         embedding(o.vocab_size, o.hidden_size, kTokenStd));
  const std::vector<int64_t> positions{o.max_position_embeddings, o.hidden_size};
  if (hf) {
    positions_ = add(*this, "text_model.embeddings.position_embedding",
                     embedding(positions[0], positions[1], kPositionStd))
                     ->weight;
  } else {
    positions_ = register_parameter("positional_embedding", init_normal(positions, kPositionStd));
  }
  const ClipBlockOptions block{.width = o.hidden_size,
                               .heads = o.num_attention_heads,
                               .mlp_width = o.intermediate_size,
                               .activation = parse_clip_activation(o.hidden_act),
                               .eps = o.layer_norm_eps,
                               .naming = o.naming};
  for (int64_t i = 0; i < o.num_hidden_layers; ++i) {
    const auto name = (hf ? "text_model.encoder.layers." : "transformer.resblocks.") + std::to_string(i);
    blocks_.push_back(add(*this, name, std::make_shared<ClipBlock>(block)));
  }
  final_norm_ = add(*this, hf ? "text_model.final_layer_norm" : "ln_final",
                    layer_norm(o.hidden_size, o.layer_norm_eps));
  if (!hf) register_parameter("logit_scale", init_constant({}, 2.6592600));  // Unused: ln(1 / 0.07).
  if (o.projection_dim == 0) return;
  if (hf) {
    projection_ = add(*this, "text_projection", linear(o.hidden_size, o.projection_dim, /*bias=*/false));
  } else {
    projection_parameter_ =
        register_parameter("text_projection", init_normal({o.hidden_size, o.projection_dim}, kTokenStd));
  }
}

ClipTextStates ClipText::forward(const torch::Tensor& tokens, int64_t clip_skip, bool whole) const {
  check(tokens.dim() == 2 && tokens.size(1) >= 1 && tokens.size(1) <= options_.max_position_embeddings,
        "clip_text: expected tokens of shape [N, T] with T <= ", options_.max_position_embeddings, ", got ",
        tokens.sizes());
  const auto layers = static_cast<int64_t>(blocks_.size());
  check(clip_skip >= 1 && clip_skip <= layers, "clip_text: expected a clip-skip of 1 to ", layers, ", got ",
        clip_skip);
  const int64_t length = tokens.size(1);
  auto x = token_embedding_(tokens) + positions_.narrow(0, 0, length);
  const auto causal = at::ones({1, 1, length, length}, tokens.options().dtype(at::kBool)).tril();
  ClipTextStates out;
  for (int64_t i = 0; i < layers; ++i) {
    x = blocks_[static_cast<size_t>(i)]->forward(x, causal);
    if (i + clip_skip == layers) out.hidden = x;
    if (out.hidden.defined() && !whole) return out;
  }
  out.last = final_norm_(x);
  return out;
}

torch::Tensor ClipText::pooled(const torch::Tensor& tokens, const torch::Tensor& last) const {
  const auto eos = options_.eos_token_id.value_or(2);
  const auto at_end = eos == 2 ? tokens.argmax(-1) : tokens.eq(eos).to(at::kInt).argmax(-1);  // [N]
  return last.index({at::arange(last.size(0), at_end.options()), at_end});
}

torch::Tensor ClipText::projected(const torch::Tensor& pooled) const {
  check(options_.projection_dim > 0, "clip_text: this tower has no text_projection");
  return projection_ ? projection_(pooled) : at::matmul(pooled, projection_parameter_);
}

}  // namespace ldm
