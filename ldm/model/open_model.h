#pragma once

#include <filesystem>
#include <string>

#include "ldm/model/model_file.h"

namespace ldm {

struct OpenOptions {
  std::filesystem::path config;  // The model's YAML; empty: the one inside, the one beside an original
                                 // checkpoint under the same name, or what the names and shapes tell.
  bool ema = true;               // Take averaged weights where there are some.
};

// A model of any layout in ours: a file of this program, an original checkpoint (.ckpt, .pt, .safetensors,
// GGUF) or a folder of diffusers. The tensors have the original's names and are views of the mapped files.
// Whether they fit the configuration is not checked here, see check_weights(). Throws kData when it cannot be
// read; kFormat when it breaks its format or holds no model that is known.
ModelFile open_model(const std::filesystem::path& path, const OpenOptions& options = {});

// Compares names and shapes with what the configuration builds.
LoadReport compare_weights(const ModelFile& model);

// Whether the model reads captions by a vocabulary that only its file can bring (ModelFile::vocabulary).
bool reads_own_vocabulary(const ModelFile& model);

// Throws kFormat with the table of what is missing, unexpected or of another shape, if anything is; and for a
// diffusion model that cannot be loaded because its first stage or its vocabulary is nowhere.
void check_weights(const ModelFile& model, const std::filesystem::path& path);

}  // namespace ldm
