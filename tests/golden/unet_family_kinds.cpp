#include <ATen/ATen.h>

#include <memory>
#include <string>
#include <vector>

#include "ldm/model/class_conditioner.h"
#include "ldm/model/controlnet_file.h"
#include "ldm/model/wiring.h"
#include "ldm/nn/attention_pool2d.h"
#include "ldm/nn/controlnet.h"
#include "ldm/nn/encoder_unet.h"
#include "ldm/nn/spatial_rescaler.h"
#include "ldm/nn/text_transformer.h"
#include "ldm/nn/unet.h"
#include "tests/golden/json_fields.h"
#include "tests/golden/runner.h"

namespace ldm::golden {
namespace {

std::string text_of(const Json& config, const char* key) {
  const auto found = config.find(key);
  return found == config.end() || found->is_null() ? std::string() : found->get<std::string>();
}

void run_attention_pool2d(Case& c) {
  const auto& config = c.config();
  const int64_t channels = config.at("embed_dim");
  const auto out = config.find("output_dim");
  AttentionPool2d pool(
      {.size = config.at("spacial_dim"),
       .channels = channels,
       .head_channels = config.at("num_heads_channels"),
       .out_channels = out == config.end() || out->is_null() ? channels : out->get<int64_t>()});
  c.load_weights(pool);
  c.expect("y", pool.forward(c.input("x")));
}

void run_encoder_unet(Case& c) {
  EncoderUNet network(read_json_options<EncoderUNetOptions>(c.config()));
  c.load_weights(network);
  c.expect("out", network.forward(c.input("x"), c.input("timesteps")));
}

void run_spatial_rescaler(Case& c) {
  torch::nn::Module module;
  const SpatialRescaler rescaler(module, read_json_options<SpatialRescalerOptions>(c.config()));
  c.load_weights(module);
  c.expect("y", rescaler(c.input("x")));
}

torch::Tensor run_wired(const UNet& unet, const torch::Tensor& x, const torch::Tensor& t,
                        const Conditioning& condition) {
  return unet.forward(network_input(x, condition), t, condition.context, condition.y);
}

// c_concat0, c_concat1, .. joined along an axis; undefined if there is none.
torch::Tensor joined_inputs(Case& c, const std::string& name, int64_t axis) {
  std::vector<torch::Tensor> parts;
  for (int k = 0; c.has(name + std::to_string(k)); ++k) parts.push_back(c.input(name + std::to_string(k)));
  return parts.empty() ? torch::Tensor() : at::cat(parts, axis);
}

void run_diffusion_wrapper(Case& c) {
  const auto wiring = parse_wiring(text_of(c.config(), "conditioning_key"));
  UNet unet(read_json_options<UNetOptions>(c.config().at("unet_config")));
  c.load_weights(unet, "diffusion_model.");
  Conditioning condition;
  if (wiring.concat) condition.concat = joined_inputs(c, "c_concat", 1);
  if (wiring.context) condition.context = joined_inputs(c, "c_crossattn", 1);
  if (wiring.y) condition.y = c.input(wiring.context ? "c_adm" : "c_crossattn0");
  check_wired(wiring, condition);
  c.expect("out", run_wired(unet, c.input("x"), c.input("t"), condition));
}

// The condition's encoder, with weights: what it makes of the case's `cond`.
torch::Tensor encode_condition(Case& c, const Json& config, torch::nn::Module& module) {
  const std::string target = config.at("target"), name = target.substr(target.rfind('.') + 1);
  const auto params = config.value("params", Json::object());
  const auto prefix = "cond_stage_model.";
  const auto cond = c.input("cond");
  if (name == "ClassEmbedder") {
    const auto embedder =
        std::make_shared<ClassConditioner>(read_json_options<ClassConditionerOptions>(params));
    c.load_weights(*embedder, prefix);
    return embedder->embed(cond);
  }
  if (name == "SpatialRescaler") {
    const SpatialRescaler rescaler(module, read_json_options<SpatialRescalerOptions>(params));
    c.load_weights(module, prefix);
    return rescaler(cond);
  }
  if (name == "BERTEmbedder" || name == "TransformerEmbedder") {
    TextTransformer transformer(read_json_options<TextTransformerOptions>(params));
    c.load_weights(transformer, std::string(prefix) + "transformer.");
    return transformer.forward(cond);
  }
  if (name != "Identity") c.skip(name);
  return cond;
}

void run_conditioned_unet(Case& c) {
  const auto& config = c.config();
  const auto wiring = parse_wiring(text_of(config, "conditioning_key"));
  UNet unet(read_json_options<UNetOptions>(config.at("unet_config")));
  c.load_weights(unet, "model.diffusion_model.");
  torch::nn::Module condition_module;
  const auto encoded = encode_condition(c, config.at("cond_stage_config"), condition_module);
  Conditioning condition;
  (wiring.concat ? condition.concat : wiring.context ? condition.context : condition.y) = encoded;
  check_wired(wiring, condition);
  c.expect("c", encoded);
  c.expect("out", run_wired(unet, c.input("x"), c.input("t"), condition));
}

void run_controlnet(Case& c) {
  const ControlNetOptions options = read_json_options<ControlNetOptions>(c.config().at("control"));
  ControlNet control(options);
  UNet unet(read_json_options<UNetOptions>(c.config().at("unet")));
  c.load_weights(control, "control_model.");
  c.load_weights(unet, "model.diffusion_model.");
  const auto x = c.input("x"), t = c.input("timesteps");
  const Context context = c.has("context") ? c.input("context") : torch::Tensor();
  const auto y = c.has("y") ? c.input("y") : torch::Tensor();
  const auto residuals = control.forward(x, c.input("hint"), t, context, y);
  for (size_t i = 0; i < residuals.size(); ++i) c.expect("residual" + std::to_string(i), residuals[i]);
  c.expect("out", unet.forward(x, t, context, y, residuals));
  // The same network in the naming of diffusers, which some cases have beside them.
  constexpr char kTheirs[] = "diffusers_controlnet.safetensors";
  if (!c.has_file(kTheirs)) return;
  const auto again =
      load_controlnet(c.file(kTheirs), unet.options())->forward(x, c.input("hint"), t, context, y);
  for (size_t i = 0; i < again.size(); ++i) c.expect("residual" + std::to_string(i), again[i]);
}

void add_unet_family_kinds(KindTable& kinds) {
  kinds.add("attention_pool2d", run_attention_pool2d);
  kinds.add("encoder_unet", run_encoder_unet);
  kinds.add("spatial_rescaler", run_spatial_rescaler);
  kinds.add("diffusion_wrapper", run_diffusion_wrapper);
  kinds.add("conditioned_unet", run_conditioned_unet);
  kinds.add("controlnet", run_controlnet);
}
const RegisterKinds kUnetFamilyRegistered(add_unet_family_kinds);

}  // namespace
}  // namespace ldm::golden
