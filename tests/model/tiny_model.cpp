#include "tests/model/tiny_model.h"

#include <ATen/ATen.h>
#include <ATen/Context.h>

#include "ldm/config/options.h"
#include "ldm/config/yaml.h"
#include "ldm/model/first_stage.h"

namespace ldm {
namespace {

constexpr char kTokens[] = ", use_spatial_transformer: true, context_dim: 32";

// How a condition enters the network.
struct TinyCondition {
  const char *name, *key, *encoder;  // Of cond_stage_config, as YAML.
  int in_channels = 4;               // The latents, and what is appended to them.
  std::string unet = kTokens;        // Further keys.
};

const TinyCondition& tiny_condition(const std::string& name) {
  static constexpr char kText[] =
      "{target: text_transformer, params: {n_embed: 32, n_layer: 1, vocab_size: 10, max_seq_len: 6, heads: "
      "2, dim_head: 16, with_logits: false}}";
  static const TinyCondition kConditions[] = {
      {.name = "none", .key = "", .encoder = "", .unet = ""},
      {.name = "text", .key = "crossattn", .encoder = kText},
      {.name = "text-adm",
       .key = "crossattn-adm",
       .encoder = kText,
       .unet = std::string(kTokens).append(", num_classes: sequential, adm_in_channels: 32")},
      {.name = "text-inpaint", .key = "hybrid", .encoder = kText, .in_channels = 9},
      {.name = "class",
       .key = "crossattn",
       .encoder = "{target: class_embedder, params: {embed_dim: 32, n_classes: 3, null_class: 2}}"},
      {.name = "class-only",
       .key = "crossattn",
       .encoder = "{target: class_embedder, params: {embed_dim: 32, n_classes: 3}}"},
      {.name = "picture", .key = "concat", .encoder = "{target: identity}", .in_channels = 8, .unet = ""},
      {.name = "small-picture",
       .key = "concat",
       .encoder = "{target: identity}",
       .in_channels = 7,
       .unet = ""},
      {.name = "reference",
       .key = "concat",
       .encoder = "{target: first_stage}",
       .in_channels = 8,
       .unet = ""},
      {.name = "inpaint", .key = "concat", .encoder = "{target: first_stage}", .in_channels = 9, .unet = ""},
      {.name = "map",
       .key = "concat",
       .encoder = "{target: spatial_rescaler, params: {n_stages: 2, in_channels: 3, out_channels: 2}}",
       .in_channels = 6,
       .unet = ""},
      {.name = "layout",
       .key = "crossattn",
       .encoder = "{target: text_transformer, params: {n_embed: 32, n_layer: 1, vocab_size: 50, max_seq_len: "
                  "8, heads: 2, dim_head: 16, with_logits: false, use_tokenizer: false}}"},
      {.name = "neighbours", .key = "crossattn", .encoder = "{target: identity}"},
  };
  for (const auto& condition : kConditions) {
    if (condition.name == name) return condition;
  }
  throw Error(ErrorKind::kInternal, "tiny_model: no condition is called " + name);
}

}  // namespace

std::string tiny_vocabulary() { return "[PAD]\n[UNK]\n[CLS]\n[SEP]\nred\nblue\ndisc\n"; }

Node tiny_first_stage_config() {
  return parse_yaml(std::string_view(R"(
model:
  target: autoencoder_kl
  params:
    embed_dim: 4
    ddconfig: {double_z: true, z_channels: 4, resolution: 16, ch: 32, ch_mult: [1], num_res_blocks: 1, attn_type: none, patch_size: 4}
)"),
                    "first_stage.yaml");
}

Node tiny_diffusion_config(const std::string& name) {
  const auto& condition = tiny_condition(name);
  const std::string text = R"(
model:
  target: latent_diffusion
  params:
    timesteps: 50
    image_size: 4
    channels: 4
    scale_factor: 0.5
    unet_config:
      target: unet
      params: {image_size: 4, out_channels: 4, model_channels: 32, attention_resolutions: [1], num_res_blocks: 1, channel_mult: [1, 2], num_head_channels: 16, in_channels: )" +
                           std::to_string(condition.in_channels) + condition.unet + "}\n" +
                           R"(    first_stage_config:
      target: first_stage_file
      params: {path: anywhere.safetensors}
)";
  const std::string key = condition.key;
  const auto lines =
      key.empty() ? std::string()
                  : "    conditioning_key: " + key + "\n    cond_stage_config: " + condition.encoder + "\n";
  return parse_yaml(std::string_view(text + lines), "diffusion.yaml");
}

std::shared_ptr<FirstStage> tiny_first_stage(uint64_t seed) {
  at::manual_seed(seed);
  auto stage = make_first_stage(tiny_first_stage_config().at("model"), "model");
  stage->eval();
  return stage;
}

std::shared_ptr<LatentDiffusion> tiny_model(const std::string& condition, uint64_t seed) {
  LatentDiffusionOptions options;
  read_options(tiny_diffusion_config(condition).at("model").at("params"), options, "model.params");
  auto stage = tiny_first_stage(seed);
  auto model = std::make_shared<LatentDiffusion>(options, stage,
                                                 condition.starts_with("text") ? tiny_vocabulary() : "");
  // The network's last layers start at zero; with noise everywhere its result depends on every input.
  torch::NoGradGuard no_grad;
  for (auto& [name, tensor] : model->state()) {
    auto values = tensor;
    if (values.is_floating_point()) values.add_(at::randn_like(values), 0.1);
  }
  model->eval();
  return model;
}

}  // namespace ldm
