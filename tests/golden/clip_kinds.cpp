#include <ATen/ATen.h>

#include <cmath>
#include <string>

#include "ldm/core/error.h"
#include "ldm/model/emphasis.h"
#include "ldm/nn/clip_image.h"
#include "ldm/nn/clip_text.h"
#include "ldm/nn/state_dict.h"
#include "tests/golden/json_fields.h"
#include "tests/golden/runner.h"

namespace ldm::golden {
namespace {

// The states that both naming's cases have in common; returns the pooled one.
torch::Tensor expect_states(Case& c, const ClipText& clip) {
  const auto tokens = c.input("tokens");
  const auto states = clip.forward(tokens, /*clip_skip=*/2, /*whole=*/true);
  c.expect("hidden", states.last);
  c.expect("penultimate", states.hidden);
  c.expect("penultimate_normed", clip.final_norm(states.hidden));
  return clip.pooled(tokens, states.last);
}

void run_frozen_clip(Case& c) {
  Json config = c.config();
  for (const char* key : {"bos_token_id", "pad_token_id"}) config.erase(key);  // The tokenizer's.
  ClipText clip(read_json_options<ClipTextOptions>(config));
  c.load_weights(clip, "transformer.");
  const auto pooled = expect_states(c, clip);
  c.expect("pooled", pooled);
  if (c.has("projected")) c.expect("projected", clip.projected(pooled));
}

ClipTextOptions open_clip_options(const Json& config) {
  const int64_t width = config.at("width");
  return {.vocab_size = config.at("vocab_size"),
          .hidden_size = width,
          .intermediate_size = 4 * width,
          .num_hidden_layers = config.at("layers"),
          .num_attention_heads = config.at("heads"),
          .max_position_embeddings = config.at("context_length"),
          .hidden_act = config.at("act"),
          .projection_dim = config.at("embed_dim"),
          .naming = ClipNaming::kOpenClip};
}

void run_open_clip_text(Case& c) {
  ClipText clip(open_clip_options(c.config()));
  c.load_weights(clip, "model.");
  c.expect("pooled", clip.projected(expect_states(c, clip)));
}

void run_prompt_emphasis(Case& c) {
  const auto z = c.input("z"), weights = c.input("weights");
  c.expect("original", emphasized(z, weights, Emphasis::kOriginal));
  c.expect("no_norm", emphasized(z, weights, Emphasis::kNoNorm));
}

// The exceptions that the notes of net_clip make from the rule for generated weights.
Tensors clip_weights(Case& c) {
  Tensors weights = c.weights();
  for (auto& [name, tensor] : weights) {
    const auto ends = [&name = name](const std::string& end) {
      return name.size() >= end.size() && name.compare(name.size() - end.size(), end.size(), end) == 0;
    };
    if (name == "logit_scale") {
      tensor = at::full_like(tensor, std::log(1 / 0.07));
    } else if (ends("class_embedding")) {
      tensor = tensor * (0.5 / 0.05);
    } else if (ends("token_embedding.weight") || ends("positional_embedding")) {
      tensor = tensor * (0.5 * std::sqrt(static_cast<double>(tensor.size(1))));
    } else if (ends("proj") || ends("text_projection")) {
      tensor = tensor * std::sqrt(static_cast<double>(tensor.size(1)) / static_cast<double>(tensor.size(0)));
    }
  }
  return weights;
}

// Fills a tower with the weights under a prefix; all that stand there, except those under `apart`.
void fill(torch::nn::Module& tower, const Tensors& weights, const std::string& prefix,
          const std::string& apart) {
  StateDict own;
  for (const auto& [name, tensor] : weights) {
    if (name.rfind(prefix, 0) == 0 && (apart.empty() || name.rfind(apart, 0) != 0))
      own[name.substr(prefix.size())] = tensor;
  }
  const auto report = load_state_dict(tower, own);
  check(report.ok(), ErrorKind::kInternal, "net_clip: ", report.table());
  tower.eval();
}

void run_net_clip(Case& c) {
  if (c.config().at("arch") != "ViT-B/32") c.skip(c.config().at("arch"));
  const auto weights = clip_weights(c);
  ClipText text({.hidden_size = 512,
                 .intermediate_size = 2048,
                 .num_attention_heads = 8,
                 .projection_dim = 512,
                 .naming = ClipNaming::kOpenClip});
  ClipImage image({.hidden_size = 768,
                   .intermediate_size = 3072,
                   .num_hidden_layers = 12,
                   .num_attention_heads = 12,
                   .patch_size = 32,
                   .projection_dim = 512,
                   .naming = ClipNaming::kOpenClip});
  fill(text, weights, "", "visual.");
  fill(image, weights, "visual.", "");
  const auto pixels = c.input("image_u8").to(at::kFloat) / 255.0;
  const auto pictures =
      at::upsample_nearest2d(pixels, {image.options().image_size, image.options().image_size});
  const auto tokens = c.input("tokens");
  const at::NoGradGuard no_grad;
  const auto image_features = image.forward(clip_normalized(pictures));
  const auto text_features = text.projected(text.pooled(tokens, text.forward(tokens, 1, true).last));
  c.expect("image_features", image_features);
  c.expect("text_features", text_features);
  const auto unit = [](const torch::Tensor& x) { return x / x.norm(2, -1, /*keepdim=*/true); };
  c.expect("cos", at::matmul(unit(image_features), unit(text_features).t()));
}

void add_clip_kinds(KindTable& kinds) {
  kinds.add("frozen_clip", run_frozen_clip);
  kinds.add("open_clip_text", run_open_clip_text);
  kinds.add("prompt_emphasis", run_prompt_emphasis);
  kinds.add("net_clip", run_net_clip);
}
const RegisterKinds kClipRegistered(add_clip_kinds);

}  // namespace
}  // namespace ldm::golden
