#include "ldm/model/model_file.h"

#include <ATen/ATen.h>

#include <utility>

#include "ldm/config/options.h"
#include "ldm/config/yaml.h"
#include "ldm/core/error.h"
#include "ldm/core/sha256.h"
#include "ldm/io/file.h"
#include "ldm/model/first_stage.h"

namespace ldm {
namespace {

constexpr char kFormatVersion[] = "1";

std::string take(const std::map<std::string, std::string>& metadata, const char* key) {
  const auto found = metadata.find(key);
  return found == metadata.end() ? std::string() : found->second;
}

void require(const LoadReport& report, const std::filesystem::path& path) {
  check(report.ok(), ErrorKind::kFormat, path.string(), ": the weights do not fit the configuration inside\n",
        report.table());
}

// The part of the tensors whose names start with the prefix.
StateDict under(const StateDict& tensors, const std::string& prefix) {
  StateDict out;
  for (auto it = tensors.lower_bound(prefix); it != tensors.end() && it->first.starts_with(prefix); ++it) {
    out.insert(*it);
  }
  return out;
}

std::shared_ptr<FirstStage> first_stage_of(const ModelFile& file, const Node& config,
                                           const std::string& where, const std::filesystem::path& path) {
  auto stage = make_first_stage(config, where);
  require(load_state_dict(*stage, under(file.tensors, "first_stage_model."), "first_stage_model."), path);
  stage->eval();
  return stage;
}

// The file that a diffusion model names as its first stage; it lies beside the model.
std::filesystem::path find_first_stage(const ModelFile& file, const std::filesystem::path& path) {
  const auto name = std::filesystem::path(file.first_stage);
  check(name == name.filename(), ErrorKind::kFormat, path.string(), ": the first stage's name '",
        file.first_stage, "' must be a plain file name");
  const auto beside = path.parent_path() / name;
  check(std::filesystem::exists(beside), ErrorKind::kData, path.string(), ": its first stage '",
        file.first_stage, "' is not beside it; hint: copy it there or name it with --first-stage");
  return beside;
}

// The named first stage, if it is the one that the model was trained with.
std::shared_ptr<FirstStage> named_first_stage(const ModelFile& file, const std::filesystem::path& path) {
  const auto beside = find_first_stage(file, path);
  check(file_sha256(beside) == file.first_stage_sha256, ErrorKind::kData, beside.string(),
        ": not the first stage that ", path.string(),
        " was trained with (SHA-256 differs); hint: --first-stage takes it as it is");
  const auto stage = read_model_file(beside);
  check(stage.kind == ModelKind::kFirstStage, ErrorKind::kFormat, beside.string(),
        ": expected a first stage, got a diffusion model");
  return first_stage_of(stage, stage.config.at("model"), "model", beside);
}

torch::Tensor converted(const std::string& name, const torch::Tensor& tensor, at::ScalarType dtype) {
  if (!tensor.is_floating_point() || tensor.scalar_type() == dtype) return tensor;
  auto out = tensor.to(dtype);
  check(out.isfinite().all().item<bool>() || !tensor.isfinite().all().item<bool>(), ErrorKind::kData, name,
        ": has values beyond the range of ", c10::toString(dtype), "; hint: bf16 reaches as far as f32");
  return out;
}

}  // namespace

ModelFile read_model_file(const std::filesystem::path& path) {
  auto file = read_tensor_file(path);
  const auto version = take(file.metadata, "ldm.format");
  check(!version.empty(), ErrorKind::kFormat, path.string(),
        ": not a model of this program (no ldm.format in its metadata)");
  check(version == kFormatVersion, ErrorKind::kFormat, path.string(), ": expected model format ",
        kFormatVersion, ", got ", version, "; hint: a newer ldm may read it");
  const auto kind = take(file.metadata, "ldm.kind");
  check(kind == "first_stage" || kind == "diffusion", ErrorKind::kFormat, path.string(),
        ": expected ldm.kind first_stage or diffusion, got '", kind, "'");
  return {
      .kind = kind == "diffusion" ? ModelKind::kDiffusion : ModelKind::kFirstStage,
      .config = parse_yaml(std::string_view(take(file.metadata, "ldm.config")), path.string() + "#config"),
      .tensors = std::move(file.tensors),
      .vocabulary = take(file.metadata, "ldm.vocabulary"),
      .first_stage = take(file.metadata, "ldm.first_stage"),
      .first_stage_sha256 = take(file.metadata, "ldm.first_stage_sha256")};
}

void write_model_file(const std::filesystem::path& path, const ModelFile& model, at::ScalarType dtype) {
  std::map<std::string, std::string> metadata{
      {"ldm.format", kFormatVersion},
      {"ldm.kind", model.kind == ModelKind::kDiffusion ? "diffusion" : "first_stage"},
      {"ldm.config", to_yaml(model.config)}};
  if (!model.vocabulary.empty()) metadata["ldm.vocabulary"] = model.vocabulary;
  if (!model.first_stage.empty()) {
    metadata["ldm.first_stage"] = model.first_stage;
    metadata["ldm.first_stage_sha256"] = model.first_stage_sha256;
  }
  StateDict tensors;
  for (const auto& [name, tensor] : model.tensors) {
    tensors[name] = converted(name, tensor, dtype);
  }
  write_tensor_file(path, tensors, metadata);
}

std::shared_ptr<FirstStage> load_first_stage(const std::filesystem::path& path) {
  const auto file = read_model_file(path);
  const auto& model = file.config.at("model");
  if (file.kind == ModelKind::kFirstStage) return first_stage_of(file, model, "model", path);
  if (!file.first_stage.empty()) return named_first_stage(file, path);
  return first_stage_of(file, model.at("params").at("first_stage_config"), "model.params.first_stage_config",
                        path);
}

std::unique_ptr<LatentDiffusion> load_latent_diffusion(
    const std::filesystem::path& path, const std::optional<std::filesystem::path>& first_stage) {
  const auto file = read_model_file(path);
  check(file.kind == ModelKind::kDiffusion, path.string(),
        ": this is a first stage; expected a diffusion model (-m), which names its first stage itself");
  std::shared_ptr<FirstStage> stage;
  if (first_stage) {
    stage = load_first_stage(*first_stage);
  } else if (!file.first_stage.empty()) {
    stage = named_first_stage(file, path);
  } else {
    stage = load_first_stage(path);
  }
  LatentDiffusionOptions options;
  read_options(file.config.at("model").at("params"), options, "model.params");
  auto model = std::make_unique<LatentDiffusion>(options, std::move(stage), file.vocabulary);
  model->load(file.tensors);
  model->eval();
  return model;
}

std::string file_sha256(const std::filesystem::path& path) { return sha256_hex(MappedFile(path).bytes()); }

}  // namespace ldm
