#include "ldm/model/model_layout.h"

#include <numeric>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/model/engine_config.h"
#include "ldm/model/first_stage.h"
#include "ldm/model/latent_diffusion.h"
#include "ldm/model/targets.h"
#include "ldm/nn/layers.h"
#include "ldm/nn/state_dict.h"

namespace ldm {
namespace {

constexpr std::string_view kFirstStagePath = "model.params.first_stage_config";

void add_part(ModelLayout& layout, std::string name, Target target, const torch::nn::Module& module) {
  ModelPart part{.name = std::move(name), .target = to_string(target), .tensors = {}};
  for (const auto& [key, tensor] : state_dict(module, part.name + ".")) {
    part.tensors.push_back({key, tensor.sizes().vec()});
  }
  if (!part.tensors.empty()) layout.parts.push_back(std::move(part));
}

// Also of a plain name such as __is_first_stage__.
Target target_of(const Node& config, const std::string& where) {
  return parse_target(config.is_scalar() ? config.text() : config.at("target").text(), where);
}

ModelLayout lay_out_diffusion(const Node& model) {
  const auto options = read_latent_diffusion_options(model, "model");
  const auto& first = options.first_stage_config;
  const auto first_target = target_of(first, std::string(kFirstStagePath).append(".target"));
  const bool elsewhere = first_target == Target::kFirstStageFile;
  auto stage = elsewhere ? std::make_shared<IdentityFirstStage>(options.channels)
                         : make_first_stage(first, kFirstStagePath);
  const LatentDiffusion built(options, stage, /*vocabulary=*/"");
  ModelLayout layout{.target = to_string(Target::kLatentDiffusion), .parts = {}};
  add_part(layout, "model.diffusion_model", Target::kUnet, built.unet());
  if (!elsewhere) add_part(layout, "first_stage_model", first_target, *stage);
  if (built.conditioner() != nullptr) {
    const auto target = target_of(options.cond_stage_config, "model.params.cond_stage_config.target");
    add_part(layout, "cond_stage_model", target, *built.conditioner());
  }
  return layout;
}

}  // namespace

int64_t TensorShape::numel() const {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

int64_t ModelPart::parameters() const {
  int64_t sum = 0;
  for (const auto& tensor : tensors) sum += tensor.numel();
  return sum;
}

ModelLayout lay_out_model(const Node& config) {
  const InitScope meta(Init::kMeta);
  const Node& model = config.at("model");
  const auto target = parse_target(model.at("target").text(), "model.target");
  if (target == Target::kLatentDiffusion || target == Target::kDiffusionEngine)
    return lay_out_diffusion(model);
  ModelLayout layout{.target = to_string(target), .parts = {}};
  add_part(layout, "first_stage_model", target, *make_first_stage(model, "model"));
  return layout;
}

}  // namespace ldm
