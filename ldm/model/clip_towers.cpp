#include "ldm/model/clip_towers.h"

#include <ATen/ATen.h>

#include <array>
#include <cmath>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/model/name_map.h"
#include "ldm/model/targets.h"

namespace ldm {
namespace {

constexpr char kPlace[] = "model.params.cond_stage_config";

Target condition_target(const Node& config) {
  const auto& name = config.is_scalar() ? config.text() : config.at("target").text();
  return parse_target(name, "model.params.cond_stage_config.target");
}

// Adds the tower that `config` describes, if it is one. Its tensors lie below `prefix`.
bool add_tower(const Node& config, const std::string& prefix, std::vector<ClipTower>& towers) {
  const auto target = condition_target(config);
  if (target != Target::kClipText && target != Target::kOpenClipText) return false;
  const bool open_clip = target == Target::kOpenClipText;
  static const Node kNothing;
  const Node* params = config.find("params");
  const auto naming = open_clip ? ClipNaming::kOpenClip : ClipNaming::kHuggingFace;
  towers.push_back({.prefix = prefix + (open_clip ? "model." : "transformer."),
                    .options = read_clip_options(params ? *params : kNothing, naming, kPlace)});
  return true;
}

[[noreturn]] void refuse(const Node& config) {
  fail(ErrorKind::kUsage, "expected CLIP's text encoders as the condition, or none, got ",
       to_string(condition_target(config)));
}

constexpr char kLogitScale[] = "logit_scale";
constexpr std::array<const char*, 3> kProjections{"self_attn.q_proj.", "self_attn.k_proj.",
                                                  "self_attn.v_proj."};

// All but the projections of the attention.
NameMap open_clip_names(int64_t layers) {
  NameMap map;
  map.add("text_model.embeddings.token_embedding", "token_embedding");
  map.add("text_model.embeddings.position_embedding.weight", "positional_embedding");
  map.add("text_model.final_layer_norm", "ln_final");
  map.add("text_projection.weight", "text_projection");
  map.add(kLogitScale, kLogitScale);
  for (int64_t i = 0; i < layers; ++i) {
    const std::string ours = "text_model.encoder.layers." + std::to_string(i) + ".";
    const std::string theirs = "transformer.resblocks." + std::to_string(i) + ".";
    map.add(ours + "self_attn.out_proj", theirs + "attn.out_proj");
    map.add(ours + "layer_norm1", theirs + "ln_1");
    map.add(ours + "layer_norm2", theirs + "ln_2");
    map.add(ours + "mlp.fc1", theirs + "mlp.c_fc");
    map.add(ours + "mlp.fc2", theirs + "mlp.c_proj");
  }
  return map;
}

std::string layer_name(int64_t i) { return "text_model.encoder.layers." + std::to_string(i) + "."; }
std::string block_name(int64_t i) { return "transformer.resblocks." + std::to_string(i) + ".attn."; }

torch::Tensor transposed_projection(const std::string& name, const torch::Tensor& tensor) {
  const bool projection = name == "text_projection" || name == "text_projection.weight";
  return projection && tensor.dim() == 2 ? tensor.t() : tensor;
}

}  // namespace

int64_t ClipTower::context_layers() const {
  const auto layers = options.clip.num_hidden_layers;
  if (options.layer == "hidden") return options.layer_idx.value_or(layers);
  return options.layer == "penultimate" ? layers - 1 : layers;
}

bool ClipTower::context_is_normed() const { return options.layer != "hidden" && options.legacy; }

std::vector<ClipTower> find_clip_towers(const Node& config) {
  std::vector<ClipTower> towers;
  if (config.is_null() || condition_target(config) == Target::kUnconditional) return towers;
  if (condition_target(config) != Target::kConditionerList) {
    if (!add_tower(config, "", towers)) refuse(config);
    return towers;
  }
  const Node* models = config.find_path("params.emb_models");
  check(models != nullptr && models->is_sequence(), kPlace, ".params.emb_models: expected a list");
  for (size_t i = 0; i < models->items().size(); ++i) {
    const Node& entry = models->items()[i];
    const bool is_tower = add_tower(entry, "embedders." + std::to_string(i) + ".", towers);
    if (!is_tower && condition_target(entry) != Target::kSizeEmbedder) refuse(entry);
  }
  return towers;
}

StateDict clip_text_from_transformers(StateDict tensors) {
  StateDict out;
  while (!tensors.empty()) {
    auto entry = tensors.extract(tensors.begin());
    std::string name = entry.key();
    if (name.ends_with("position_ids")) continue;
    if (!name.starts_with("text_model.") && !name.starts_with("text_projection.") && name != kLogitScale)
      name = "text_model." + name;
    out.emplace(std::move(name), std::move(entry.mapped()));
  }
  return out;
}

StateDict clip_text_from_open_clip(StateDict tensors, int64_t layers) {
  const auto map = open_clip_names(layers);
  StateDict out;
  for (int64_t i = 0; i < layers; ++i) {
    for (const char* what : {"weight", "bias"}) {
      const auto found = tensors.extract(block_name(i) + "in_proj_" + what);
      if (found.empty()) continue;
      const auto thirds = found.mapped().chunk(3, 0);
      for (size_t k = 0; k < thirds.size(); ++k) out[layer_name(i) + kProjections[k] + what] = thirds[k];
    }
  }
  for (const auto& [name, tensor] : tensors) {
    const auto ours = map.to_ours(name);
    check(ours.has_value(), ErrorKind::kFormat, "text encoder: the tensor '", name,
          "' is not one of OpenCLIP's tower");
    out[*ours] = transposed_projection(name, tensor);
  }
  return out;
}

StateDict clip_text_to_open_clip(StateDict tensors, int64_t layers) {
  const auto map = open_clip_names(layers);
  StateDict out;
  for (int64_t i = 0; i < layers; ++i) {
    for (const char* what : {"weight", "bias"}) {
      std::vector<torch::Tensor> parts;
      for (const char* projection : kProjections) {
        auto found = tensors.extract(layer_name(i) + projection + what);
        if (!found.empty()) parts.push_back(std::move(found.mapped()));
      }
      if (parts.size() == 3) out[block_name(i) + "in_proj_" + what] = at::cat(parts, 0);
    }
  }
  for (const auto& [name, tensor] : tensors) {
    const auto theirs = map.to_theirs(name);
    check(theirs.has_value(), ErrorKind::kFormat, "text encoder: the tensor '", name,
          "' is not one of CLIP's tower");
    out[*theirs] = transposed_projection(name, tensor);
  }
  out.try_emplace(kLogitScale, at::scalar_tensor(std::log(1 / 0.07), at::kFloat));
  return out;
}

}  // namespace ldm
