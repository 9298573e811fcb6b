#include "tests/model/tiny_model.h"

#include <ATen/ATen.h>
#include <ATen/Context.h>

#include "ldm/config/options.h"
#include "ldm/config/yaml.h"
#include "ldm/model/first_stage.h"

namespace ldm {
namespace {

std::string condition_lines(const std::string& condition) {
  if (condition == "none") return "";
  if (condition == "picture")
    return "    conditioning_key: concat\n    cond_stage_config: {target: identity}\n";
  const std::string key = condition == "text-adm"       ? "crossattn-adm"
                          : condition == "text-inpaint" ? "hybrid"
                                                        : "crossattn";
  const std::string head = "    conditioning_key: " + key + "\n    cond_stage_config:\n";
  if (condition.starts_with("text")) {
    return head +
           "      target: text_transformer\n"
           "      params: {n_embed: 32, n_layer: 1, vocab_size: 10, max_seq_len: 6, heads: 2, dim_head: 16, "
           "with_logits: false}\n";
  }
  return head + "      target: class_embedder\n      params: {embed_dim: 32, n_classes: 3" +
         (condition == "class" ? ", null_class: 2}\n" : "}\n");
}

std::string unet_extras(const std::string& condition) {
  if (condition == "none" || condition == "picture") return "";
  return std::string(", use_spatial_transformer: true, context_dim: 32") +
         (condition == "text-adm" ? ", num_classes: sequential, adm_in_channels: 32" : "");
}

// Four of the latents, and those of a picture: as many, with a mask one more.
std::string in_channels(const std::string& condition) {
  return condition == "picture" ? "8" : condition == "text-inpaint" ? "9" : "4";
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

Node tiny_diffusion_config(const std::string& condition) {
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
                           in_channels(condition) + unet_extras(condition) + "}\n" +
                           R"(    first_stage_config:
      target: first_stage_file
      params: {path: anywhere.safetensors}
)" + condition_lines(condition);
  return parse_yaml(std::string_view(text), "diffusion.yaml");
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
