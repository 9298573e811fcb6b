#include "ldm/model/first_stage_inside.h"

#include <string>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/model/targets.h"

namespace ldm {
namespace {

namespace fs = std::filesystem;

constexpr char kFirstStagePart[] = "first_stage_model.";

// It lies beside the model.
fs::path find_named_first_stage(const ModelFile& model, const fs::path& path) {
  const auto name = fs::path(model.first_stage);
  check(name == name.filename(), ErrorKind::kFormat, path.string(), ": the first stage's name '",
        model.first_stage, "' must be a plain file name");
  const auto beside = path.parent_path() / name;
  check(fs::exists(beside), ErrorKind::kData, path.string(), ": its first stage '", model.first_stage,
        "' is not beside it; hint: copy it there or name it with --first-stage");
  return beside;
}

}  // namespace

bool lacks_first_stage(const ModelFile& model) {
  if (model.kind != ModelKind::kDiffusion) return false;
  if (!model.first_stage.empty()) return true;
  const auto* target = model.config.find_path("model.params.first_stage_config.target");
  return target != nullptr &&
         parse_target(target->text(), "model.params.first_stage_config.target") == Target::kFirstStageFile;
}

ModelFile open_named_first_stage(const ModelFile& model, const fs::path& path) {
  const auto beside = find_named_first_stage(model, path);
  check(file_sha256(beside) == model.first_stage_sha256, ErrorKind::kData, beside.string(),
        ": not the first stage that ", path.string(),
        " was trained with (SHA-256 differs); hint: --first-stage takes it as it is");
  auto stage = read_model_file(beside);
  check(stage.kind == ModelKind::kFirstStage, ErrorKind::kFormat, beside.string(),
        ": expected a first stage, got a diffusion model");
  return stage;
}

void put_first_stage_inside(ModelFile& model, ModelFile stage) {
  check(model.kind == ModelKind::kDiffusion, "put_first_stage_inside: the model is a first stage itself");
  check(stage.kind == ModelKind::kFirstStage,
        "put_first_stage_inside: expected a first stage, got a diffusion model");
  std::erase_if(model.tensors, [](const auto& entry) { return entry.first.starts_with(kFirstStagePart); });
  model.tensors.merge(stage.tensors);
  const Node& from = stage.config.at("model");
  Node config = Node::map();
  for (const char* key : {"target", "params"}) {
    if (const Node* value = from.find(key)) config.set(key, *value);
  }
  Node* params = model.config.find("model")->find("params");
  check(params != nullptr, ErrorKind::kFormat, "put_first_stage_inside: the model has no model.params");
  params->set("first_stage_config", std::move(config));
  model.first_stage.clear();
  model.first_stage_sha256.clear();
}

}  // namespace ldm
