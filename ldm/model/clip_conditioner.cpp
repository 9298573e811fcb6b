#include "ldm/model/clip_conditioner.h"

#include <ATen/ATen.h>

#include <utility>

#include "ldm/config/options.h"
#include "ldm/core/error.h"
#include "ldm/model/captions.h"
#include "ldm/nn/layers.h"

namespace ldm {

ClipTextOptions clip_sizes(const std::string& arch, ClipNaming naming) {
  ClipTextOptions out;
  out.naming = naming;
  const auto tower = [&](int64_t width, int64_t heads, int64_t layers, const char* act, int64_t embed) {
    out.hidden_size = width;
    out.intermediate_size = 4 * width;
    out.num_attention_heads = heads;
    out.num_hidden_layers = layers;
    out.hidden_act = act;
    out.projection_dim = embed;
  };
  if (arch.empty()) return out;
  if (arch == "ViT-L-14") {
    tower(768, 12, 12, "gelu", 768);
  } else if (arch == "ViT-H-14") {
    tower(1024, 16, 24, "gelu", 1024);
  } else if (arch == "ViT-g-14") {
    tower(1024, 16, 24, "gelu", 1024);
  } else {
    check(arch == "ViT-bigG-14", "CLIP: expected the arch ViT-L-14, ViT-H-14, ViT-g-14 or ViT-bigG-14, got '",
          arch, "'; hint: hidden_size and its kin describe another");
    tower(1280, 20, 32, "gelu", 1280);
  }
  return out;
}

ClipConditionerOptions read_clip_options(const Node& params, ClipNaming naming, const std::string& where) {
  const bool open_clip = naming == ClipNaming::kOpenClip;
  ClipConditionerOptions options{.arch = open_clip ? "ViT-H-14" : ""};
  if (const auto* arch = params.find("arch")) options.arch = arch->text();
  options.clip = clip_sizes(options.arch, naming);
  read_options(params, options, where + ".params");
  if (params.find("max_length") == nullptr) options.max_length = options.clip.max_position_embeddings;
  constexpr char kLarge[] = "openai/clip-vit-large-patch14";
  check(open_clip || options.version.empty() || options.version == kLarge, where,
        ".params.version: expected ", kLarge, " or nothing, got '", options.version,
        "'; hint: hidden_size and its kin describe another");
  return options;
}

ClipConditioner::ClipConditioner(const ClipConditionerOptions& o, std::optional<ClipTokenizer> tokenizer)
    : options_(o),
      tokenizer_(std::move(tokenizer)),
      clip_(add(*this, o.clip.naming == ClipNaming::kHuggingFace ? "transformer" : "model",
                std::make_shared<ClipText>(o.clip))) {
  check(o.layer == "last" || o.layer == "penultimate" || o.layer == "hidden" || o.layer == "pooled",
        "CLIP: expected the layer last, penultimate, hidden or pooled, got '", o.layer, "'");
  const auto layers = o.clip.num_hidden_layers;
  check(o.layer != "hidden" || (o.layer_idx && *o.layer_idx >= 1 && *o.layer_idx <= layers),
        "CLIP: the layer hidden expects a layer_idx in 1..", layers, ", got ", o.layer_idx.value_or(0));
  check(o.layer != "penultimate" || layers >= 2, "CLIP: a tower of one layer has no penultimate one");
  check(o.max_length >= 3 && o.max_length <= o.clip.max_position_embeddings,
        "CLIP: expected a max_length in 3..", o.clip.max_position_embeddings, ", got ", o.max_length);
  check(!o.always_return_pooled || o.clip.projection_dim > 0,
        "CLIP: always_return_pooled expects a tower with a projection (projection_dim)");
}

int64_t ClipConditioner::skip_of(const CaptionReading& reading) const {
  if (reading.clip_skip > 0) return reading.clip_skip;
  if (options_.layer == "penultimate") return 2;
  return options_.layer == "hidden" ? options_.clip.num_hidden_layers - *options_.layer_idx + 1 : 1;
}

Conditioning ClipConditioner::encode(std::span<const Condition> conditions) const {
  check(!conditions.empty(), "CLIP: expected at least one caption");
  const auto& reading = conditions.front().reading;
  for (const auto& condition : conditions)
    check(condition.reading == reading, "CLIP: expected captions that are all read in one way");
  CaptionTokens tokens;
  if (conditions.front().tokens.defined()) {
    tokens.ids = stack_field(conditions, &Condition::tokens, "CLIP", "tokens").unsqueeze(1);
    tokens.weights = at::ones(tokens.ids.sizes(), at::kDouble);
  } else {
    check(tokenizer_.has_value(), "CLIP: the model came without a tokenizer, so it reads token ids only");
    tokens = tokenize_captions(conditions, LearnedWordsTokenizer(*tokenizer_, words_), options_.max_length);
  }
  const auto ids = tokens.ids.flatten(0, 1).to(clip_->parameters().front().device());
  const bool one_token = options_.layer == "pooled";
  const auto states = clip_->forward(ids, skip_of(reading), one_token || options_.always_return_pooled);
  Conditioning out;
  // The vector is that of a prompt's first chunk, as in AUTOMATIC1111's web UI.
  const auto first = [&](const torch::Tensor& rows) {
    return rows.unflatten(0, tokens.ids.sizes().slice(0, 2)).select(1, 0);
  };
  if (one_token || options_.always_return_pooled) {
    // A text is pooled at its greatest id, the end: learned words lie beyond it.
    const auto known = ids.masked_fill(ids.ge(options_.clip.vocab_size), 0);
    const auto pooled = first(clip_->pooled(known, states.last));
    if (options_.always_return_pooled) out.y = clip_->projected(pooled);
    if (one_token) out.context = pooled.unsqueeze(1);
  }
  if (!one_token) {
    const bool norm = options_.layer != "hidden" && options_.legacy;
    out.context = join_chunks(norm ? clip_->final_norm(states.hidden) : states.hidden, tokens.weights);
  }
  return out;
}

std::string ClipConditioner::complaint(const std::string& prompt) const {
  if (!tokenizer_) return {};
  return prompt_complaint(prompt, LearnedWordsTokenizer(*tokenizer_, words_), options_.max_length);
}

int64_t ClipConditioner::word_width() const { return options_.clip.hidden_size; }

void ClipConditioner::learn_word(const std::vector<std::string>& names, const torch::Tensor& vectors) {
  check(tokenizer_.has_value(), "CLIP: the model came without a tokenizer, so it cannot learn a word");
  ldm::learn_word(names, vectors, *tokenizer_, options_.max_length - 2, clip_->token_embedding(), words_);
}

}  // namespace ldm
