#include "ldm/model/ignored_settings.h"

#include "ldm/config/options.h"
#include "ldm/model/class_conditioner.h"
#include "ldm/model/engine_config.h"
#include "ldm/model/first_stage.h"
#include "ldm/model/latent_diffusion.h"
#include "ldm/model/targets.h"
#include "ldm/nn/text_transformer.h"
#include "ldm/nn/unet_options.h"

namespace ldm {
namespace {

std::vector<std::string> ignored_params(Target target, const Node& params, const std::string& path) {
  switch (target) {
    case Target::kAutoencoderKl:
    case Target::kVqModel:
      return ignored_options<FirstStageOptions>(params, path);
    case Target::kLatentDiffusion:
      return ignored_options<LatentDiffusionOptions>(params, path);
    case Target::kDiffusionEngine:
      return ignored_options<DiffusionEngineOptions>(params, path);
    case Target::kUnet:
      return ignored_options<UNetOptions>(params, path);
    case Target::kTextTransformer:
      return ignored_options<TextTransformerOptions>(params, path);
    case Target::kClassEmbedder:
      return ignored_options<ClassConditionerOptions>(params, path);
    default:
      return {};
  }
}

// Every {target, params} below the node.
void gather_ignored(const Node& node, const std::string& path, std::vector<std::string>& found) {
  const Node* target = node.find("target");
  const Node* params = node.find("params");
  if (target != nullptr && target->is_scalar() && params != nullptr) {
    const std::string inner = path + ".params";
    for (auto& key : ignored_params(parse_target(target->text(), path + ".target"), *params, inner)) {
      found.push_back(std::move(key));
    }
  }
  for (const auto& [key, value] : node.entries()) {
    // What trains a model has options of its own, read there.
    if (key == "lossconfig" || key == "scheduler_config" || key.starts_with("denoiser")) continue;
    gather_ignored(value, path + "." + key, found);
  }
  for (size_t i = 0; i < node.items().size(); ++i) {
    gather_ignored(node.items()[i], path + "." + std::to_string(i), found);
  }
}

}  // namespace

std::vector<std::string> ignored_settings(const Node& config) {
  std::vector<std::string> found;
  gather_ignored(config.at("model"), "model", found);
  if (config.find("lightning") != nullptr) found.push_back("lightning: the section train says how to train");
  return found;
}

}  // namespace ldm
