#include "ldm/model/clip_feature_conditioner.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/model/captions.h"
#include "ldm/nn/layers.h"

namespace ldm {
namespace {

struct OpenAiSizes {
  const char* name;
  int64_t embed, text_width, image_width, image_layers, patch;
};
constexpr OpenAiSizes kOpenAiTowers[] = {{"ViT-L/14", 768, 768, 1024, 24, 14},
                                         {"ViT-B/32", 512, 512, 768, 12, 32},
                                         {"ViT-B/16", 512, 512, 768, 12, 16}};

const OpenAiSizes& openai_sizes(const std::string& version) {
  for (const auto& tower : kOpenAiTowers) {
    if (version == tower.name) return tower;
  }
  fail(ErrorKind::kUsage, "CLIP: expected ViT-L/14, ViT-B/32 or ViT-B/16, got '", version, "'");
}

}  // namespace

ClipTextOptions openai_text_sizes(const std::string& version) {
  const auto& tower = openai_sizes(version);
  return {.hidden_size = tower.text_width,
          .intermediate_size = 4 * tower.text_width,
          .num_attention_heads = tower.text_width / 64,
          .projection_dim = tower.embed,
          .naming = ClipNaming::kOpenClip};
}

ClipImageOptions openai_image_sizes(const std::string& version) {
  const auto& tower = openai_sizes(version);
  return {.hidden_size = tower.image_width,
          .intermediate_size = 4 * tower.image_width,
          .num_hidden_layers = tower.image_layers,
          .num_attention_heads = tower.image_width / 64,
          .patch_size = tower.patch,
          .projection_dim = tower.embed,
          .naming = ClipNaming::kOpenClip};
}

ClipFeatureTextConditioner::ClipFeatureTextConditioner(const ClipFeatureTextOptions& o,
                                                       std::optional<ClipTokenizer> tokenizer)
    : options_(o),
      tokenizer_(std::move(tokenizer)),
      clip_(add(*this, "model", std::make_shared<ClipText>(o.clip))) {
  check(o.max_length >= 3 && o.max_length <= o.clip.max_position_embeddings,
        "CLIP: expected a max_length in 3..", o.clip.max_position_embeddings, ", got ", o.max_length);
  check(o.n_repeat >= 1 && o.n_repeat <= 1 << 10, "CLIP: expected an n_repeat in 1..1024, got ", o.n_repeat);
}

Conditioning ClipFeatureTextConditioner::encode(std::span<const Condition> conditions) const {
  CaptionTokens tokens;
  if (!conditions.empty() && conditions.front().tokens.defined()) {
    tokens.ids = stack_field(conditions, &Condition::tokens, "CLIP", "tokens").unsqueeze(1);
  } else {
    check(tokenizer_.has_value(), "CLIP: the model came without a tokenizer, so it reads token ids only");
    tokens = tokenize_captions(conditions, *tokenizer_, options_.max_length);
  }
  // One feature a caption: of a long prompt its first chunk's. Weights have no states to act on.
  const auto ids = tokens.ids.select(1, 0).to(clip_->parameters().front().device());
  auto feature = clip_->projected(clip_->pooled(ids, clip_->forward(ids, 1, /*whole=*/true).last));
  if (options_.normalize) feature = feature / feature.norm(2, /*dim=*/1, /*keepdim=*/true);
  return {.context = feature.unsqueeze(1).repeat({1, options_.n_repeat, 1})};
}

std::string ClipFeatureTextConditioner::complaint(const std::string& prompt) const {
  return tokenizer_ ? prompt_complaint(prompt, *tokenizer_, options_.max_length) : std::string();
}

ClipFeatureImageConditioner::ClipFeatureImageConditioner(const ClipFeatureImageOptions& options)
    : clip_(add(*this, "model.visual", std::make_shared<ClipImage>(options.clip))) {}

Conditioning ClipFeatureImageConditioner::encode(std::span<const Condition> conditions) const {
  const bool null = std::none_of(conditions.begin(), conditions.end(),
                                 [](const Condition& c) { return c.picture.defined(); });
  if (null) {
    const auto rows = static_cast<int64_t>(conditions.size());
    return {.context =
                at::zeros({rows, 1, clip_->options().projection_dim}, clip_->parameters().front().options())};
  }
  const auto pictures = stack_field(conditions, &Condition::picture, "CLIP", "a picture");
  const auto side = clip_->options().image_size;
  const auto resized =
      at::upsample_bicubic2d(pictures.to(clip_->parameters().front().options()), {side, side},
                             /*align_corners=*/true);
  return {.context = clip_->forward(clip_normalized((resized + 1) / 2)).unsqueeze(1)};
}

}  // namespace ldm
