#pragma once

#include <filesystem>
#include <string>

#include "ldm/config/node.h"
#include "ldm/nn/state_dict.h"

namespace ldm {

// A model file is one safetensors file with the original's parameter names (averaged weights already applied)
// and in its metadata: ldm.format (version), ldm.kind, ldm.config (the whole YAML), ldm.vocabulary (of the
// tokenizer), and for a diffusion model without a first stage inside ldm.first_stage (that file's name,
// relative) and its SHA-256.
enum class ModelKind { kFirstStage, kDiffusion };

struct ModelFile {
  ModelKind kind = ModelKind::kFirstStage;
  Node config;  // The whole YAML of the run.
  StateDict tensors;
  std::string vocabulary;
  std::string first_stage;  // File name; empty when the first stage is inside.
  std::string first_stage_sha256;
  bool bare_first_stage = false;  // In the file that was opened, names had no first_stage_model. in front.
};

// The vocabulary's key in the metadata, in our files and in the original's layout as we write it.
inline constexpr char kVocabularyKey[] = "ldm.vocabulary";

// Whether the file is one of ours, of any version. Throws kData when it cannot be read.
bool is_model_file(const std::filesystem::path& path);

// Throws kData when unreadable, kFormat when it is no model file of ours or of a newer format.
ModelFile read_model_file(const std::filesystem::path& path);

// Atomic. dtype: floating tensors are stored in it (at::kFloat, at::kHalf, at::kBFloat16). Throws kData when
// one does not fit its range.
void write_model_file(const std::filesystem::path& path, const ModelFile& model, at::ScalarType dtype);

// The tensors with floating-point ones in another number type. Throws kData when one does not fit its range.
StateDict in_dtype(const StateDict& tensors, at::ScalarType dtype);

// SHA-256 of a file's bytes, in hex.
std::string file_sha256(const std::filesystem::path& path);

}  // namespace ldm
