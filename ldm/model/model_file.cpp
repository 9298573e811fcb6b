#include "ldm/model/model_file.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>

#include "ldm/config/yaml.h"
#include "ldm/core/error.h"
#include "ldm/core/sha256.h"
#include "ldm/io/file.h"
#include "ldm/io/safetensors.h"

namespace ldm {
namespace {

constexpr char kFormatVersion[] = "1";

std::string take(const std::map<std::string, std::string>& metadata, const char* key) {
  const auto found = metadata.find(key);
  return found == metadata.end() ? std::string() : found->second;
}

torch::Tensor converted(const std::string& name, const torch::Tensor& tensor, at::ScalarType dtype) {
  if (!tensor.is_floating_point() || tensor.scalar_type() == dtype) return tensor;
  auto out = tensor.to(dtype);
  check(out.isfinite().all().item<bool>() || !tensor.isfinite().all().item<bool>(), ErrorKind::kData, name,
        ": has values beyond the range of ", c10::toString(dtype), "; hint: bf16 reaches as far as f32");
  return out;
}

}  // namespace

bool is_model_file(const std::filesystem::path& path) {
  const MappedFile mapped(path);
  try {
    return parse_safetensors(mapped.bytes()).metadata.contains("ldm.format");
  } catch (const Error&) {
    return false;
  }
}

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
      .vocabulary = take(file.metadata, kVocabularyKey),
      .first_stage = take(file.metadata, "ldm.first_stage"),
      .first_stage_sha256 = take(file.metadata, "ldm.first_stage_sha256")};
}

void write_model_file(const std::filesystem::path& path, const ModelFile& model, at::ScalarType dtype) {
  std::map<std::string, std::string> metadata{
      {"ldm.format", kFormatVersion},
      {"ldm.kind", model.kind == ModelKind::kDiffusion ? "diffusion" : "first_stage"},
      {"ldm.config", to_yaml(model.config)}};
  if (!model.vocabulary.empty()) metadata[kVocabularyKey] = model.vocabulary;
  if (!model.first_stage.empty()) {
    metadata["ldm.first_stage"] = model.first_stage;
    metadata["ldm.first_stage_sha256"] = model.first_stage_sha256;
  }
  write_tensor_file(path, in_dtype(model.tensors, dtype), metadata);
}

StateDict in_dtype(const StateDict& tensors, at::ScalarType dtype) {
  StateDict out;
  for (const auto& [name, tensor] : tensors) out.emplace(name, converted(name, tensor, dtype));
  return out;
}

std::string file_sha256(const std::filesystem::path& path) {
  constexpr size_t kPiece = 16 << 20;
  const MappedFile file(path);
  Sha256 hash;
  for (auto rest = file.bytes(); !rest.empty(); rest = rest.subspan(std::min(kPiece, rest.size()))) {
    const auto piece = rest.first(std::min(kPiece, rest.size()));
    hash.update(piece);
    file.give_back(piece);
  }
  return hash.hex();
}

}  // namespace ldm
