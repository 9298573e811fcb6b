#include "ldm/model/engine_config.h"

#include <string>
#include <utility>

#include "ldm/config/options.h"
#include "ldm/core/error.h"
#include "ldm/core/names.h"
#include "ldm/model/targets.h"

namespace ldm {
namespace {

// sgm/modules/diffusionmodules/denoiser.py: DiscreteDenoiser.
struct DiscreteDenoiserOptions {
  int64_t num_idx = 1000;
  Node scaling_config;
  Node discretization_config;

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("num_idx", num_idx, "steps of the noise schedule");
    visit.node("scaling_config", scaling_config, "what the network predicts");
    visit.node("discretization_config", discretization_config, "the noise schedule");
    visit.ignored("do_append_zero", "samplers end at zero noise");
    visit.ignored("quantize_c_noise", "samplers choose their timesteps");
    visit.only("flip", "true", "noise falls with the index");
  }
};

// sgm/modules/diffusionmodules/discretizer.py: LegacyDDPMDiscretization.
struct LegacyDiscretizationOptions {
  double linear_start = 0.00085;
  double linear_end = 0.012;
  int64_t num_timesteps = 1000;

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("linear_start", linear_start, "first beta");
    visit("linear_end", linear_end, "last beta");
    visit("num_timesteps", num_timesteps, "steps of the noise schedule");
  }
};

// The name behind the last dot of node's `target`, one of `known`.
std::string class_name(const Node& node, const std::vector<std::string>& known, const std::string& where) {
  const std::string& target = node.at("target").text();
  const auto name = target.substr(target.rfind('.') + 1);
  for (const auto& candidate : known) {
    if (candidate == name) return name;
  }
  fail(ErrorKind::kUsage, where, ".target: expected ", join_names(known), ", got '", target, "'");
}

template <HasFields Options>
Options read_params(const Node& node, const std::string& where) {
  Options options;
  if (const Node* params = node.find("params")) read_options(*params, options, where + ".params");
  return options;
}

void read_denoiser(const Node& config, const std::string& where, LatentDiffusionOptions& out) {
  class_name(config, {"DiscreteDenoiser"}, where);
  const auto denoiser = read_params<DiscreteDenoiserOptions>(config, where);
  const auto scaling =
      class_name(denoiser.scaling_config, {"EpsScaling", "VScaling"}, where + ".params.scaling_config");
  const std::string place = where + ".params.discretization_config";
  class_name(denoiser.discretization_config, {"LegacyDDPMDiscretization"}, place);
  const auto schedule = read_params<LegacyDiscretizationOptions>(denoiser.discretization_config, place);
  check(schedule.num_timesteps == denoiser.num_idx, place, ".params.num_timesteps: expected num_idx, ",
        denoiser.num_idx, ", got ", schedule.num_timesteps);
  out.parameterization = scaling == "VScaling" ? "v" : "eps";
  out.timesteps = denoiser.num_idx;
  out.linear_start = schedule.linear_start;
  out.linear_end = schedule.linear_end;
}

std::string conditioning_key_of(const Node& network) {
  const auto has = [&](const char* key) {
    const Node* value = network.find(key);
    return value != nullptr && !value->is_null();
  };
  if (!has("context_dim")) return has("num_classes") ? "adm" : "";
  return has("num_classes") ? "crossattn-adm" : "crossattn";
}

// Models that are told the size of the training picture were trained at 1024 pixels (Podell et al. 2023).
bool knows_sizes(const Node& conditioner) {
  const Node* models = conditioner.find_path("params.emb_models");
  if (models == nullptr) return false;
  for (const auto& embedder : models->items()) {
    const Node* key = embedder.find("input_key");
    if (key != nullptr && key->text() == "target_size_as_tuple") return true;
  }
  return false;
}

LatentDiffusionOptions from_engine(const DiffusionEngineOptions& engine, const std::string& where) {
  LatentDiffusionOptions out;
  read_denoiser(engine.denoiser_config, where + ".denoiser_config", out);
  const Node& network = engine.network_config.at("params");
  read_value(network.at("out_channels"), where + ".network_config.params.out_channels", out.channels);
  const bool sizes = knows_sizes(engine.conditioner_config);
  out.image_size = sizes ? 128 : 64;
  out.scale_factor = engine.scale_factor;
  out.use_ema = engine.use_ema;
  out.ckpt_path = engine.ckpt_path;
  out.scheduler_config = engine.scheduler_config;
  out.conditioning_key = conditioning_key_of(network);
  out.unet_config = engine.network_config;
  out.first_stage_config = engine.first_stage_config;
  out.cond_stage_config = engine.conditioner_config;
  // Its sampling scripts give SDXL zeros for no words.
  Node* conditioners = out.cond_stage_config.find("params");
  if (sizes && conditioners != nullptr && conditioners->find("zero_when_empty") == nullptr) {
    conditioners->set("zero_when_empty", Node::boolean(true));
  }
  return out;
}

}  // namespace

LatentDiffusionOptions read_latent_diffusion_options(const Node& model, std::string_view where) {
  const std::string path(where), params = path + ".params";
  const auto target = parse_target(model.at("target").text(), path + ".target");
  if (target == Target::kDiffusionEngine) {
    return from_engine(read_params<DiffusionEngineOptions>(model, path), params);
  }
  check(target == Target::kLatentDiffusion, path, ".target: expected a latent diffusion model, got '",
        to_string(target), "'");
  return read_params<LatentDiffusionOptions>(model, path);
}

}  // namespace ldm
