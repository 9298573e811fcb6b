#include "ldm/model/load_model.h"

#include <utility>

#include "ldm/core/error.h"
#include "ldm/core/memory.h"
#include "ldm/model/condition_names.h"
#include "ldm/model/engine_config.h"
#include "ldm/model/first_stage.h"
#include "ldm/model/first_stage_inside.h"
#include "ldm/model/open_model.h"
#include "ldm/model/weight_file.h"
#include "ldm/nn/layers.h"
#include "ldm/nn/tiny_autoencoder.h"

namespace ldm {
namespace {

void require(const LoadReport& report, const std::filesystem::path& path) {
  check(report.ok(), ErrorKind::kFormat, path.string(), ": the weights do not fit the configuration inside\n",
        report.table());
}

// The part of the tensors whose names start with the prefix, taken out.
StateDict take_part(StateDict& tensors, const std::string& prefix) {
  StateDict out;
  for (auto it = tensors.lower_bound(prefix); it != tensors.end() && it->first.starts_with(prefix);)
    out.insert(tensors.extract(it++));
  return out;
}

// Every tensor belongs to a part of a model; what a part does not know is refused when it is loaded.
void check_prefixes(const ModelFile& file, const std::filesystem::path& path) {
  LoadReport report;
  for (const auto& [name, tensor] : file.tensors) {
    const bool known = name.starts_with("model.diffusion_model.") || name.starts_with("first_stage_model.") ||
                       name.starts_with("cond_stage_model.");
    if (!known) report.unexpected.push_back(name);
  }
  require(report, path);
}

std::shared_ptr<FirstStage> first_stage_of(ModelFile& file, const Node& config, const std::string& where,
                                           const std::filesystem::path& path) {
  const InitScope filled_below(Init::kNone);
  auto stage = make_first_stage(config, where);
  auto part = take_part(file.tensors, "first_stage_model.");
  require(take_state_dict(*stage, part, "first_stage_model."), path);
  stage->eval();
  prepare_for_inference(*stage);
  return stage;
}

// The first stage in a model's file, or the one that it names.
std::shared_ptr<FirstStage> first_stage_for(ModelFile& file, const std::filesystem::path& path) {
  const auto& model = file.config.at("model");
  if (file.kind == ModelKind::kFirstStage) return first_stage_of(file, model, "model", path);
  if (!file.first_stage.empty()) {
    auto stage = open_named_first_stage(file, path);
    return first_stage_of(stage, stage.config.at("model"), "model", path.parent_path() / file.first_stage);
  }
  constexpr char kWhere[] = "model.params.first_stage_config";
  return first_stage_of(file, model.at("params").at("first_stage_config"), kWhere, path);
}

// ENCODER,DECODER: the two files of a tiny autoencoder. Null for any other name.
std::shared_ptr<FirstStage> load_tiny_autoencoder(const std::filesystem::path& path) {
  const auto& name = path.native();
  const auto comma = name.find(',');
  if (comma == std::string::npos || std::filesystem::exists(path)) return nullptr;
  const auto stage = TinyAutoencoder::from_tensors(read_weight_file(name.substr(0, comma)).tensors,
                                                   read_weight_file(name.substr(comma + 1)).tensors);
  stage->eval();
  return stage;
}

}  // namespace

std::shared_ptr<FirstStage> load_first_stage(const std::filesystem::path& path) {
  if (const auto stage = load_tiny_autoencoder(path)) return stage;
  auto file = open_model(path);
  return first_stage_for(file, path);
}

std::unique_ptr<LatentDiffusion> load_latent_diffusion(
    const std::filesystem::path& path, const std::optional<std::filesystem::path>& first_stage,
    const OpenOptions& open) {
  auto file = open_model(path, open);
  check(file.kind == ModelKind::kDiffusion, path.string(),
        ": this is a first stage; expected a diffusion model (-m), which names its first stage itself");
  check_prefixes(file, path);
  auto stage = first_stage ? load_first_stage(*first_stage) : first_stage_for(file, path);
  auto options = read_latent_diffusion_options(file.config.at("model"), "model");
  add_condition_names(file.config, options);
  const InitScope filled_below(Init::kNone);
  auto model = std::make_unique<LatentDiffusion>(options, std::move(stage), file.vocabulary);
  model->load(std::move(file.tensors));
  if (model->first_stage().scaled_latents()) model->set_scale_factor(1.0);
  model->eval();
  // Packed weights lie beside the stored ones, and pictures want room as well.
  const auto free = available_memory();
  if (!free || model->packed_bytes() <= *free / 4 * 3) model->prepare_for_inference();
  return model;
}

}  // namespace ldm
