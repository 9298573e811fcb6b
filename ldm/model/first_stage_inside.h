#pragma once

#include <filesystem>

#include "ldm/model/model_file.h"

namespace ldm {

// Whether this is a diffusion model whose first stage lies in another file.
bool lacks_first_stage(const ModelFile& model);

// The file that a diffusion model names as its first stage (ModelFile::first_stage), beside the model's own
// `path`. Throws kFormat for a name that is a path and for a file that is no first stage; kData when it is
// not there, or not the one that the model was trained with (its SHA-256 differs).
ModelFile open_named_first_stage(const ModelFile& model, const std::filesystem::path& path);

// Puts the first stage into the diffusion model, its configuration as well, in place of any other. Throws
// kUsage unless `model` is a diffusion model and `stage` a first stage.
void put_first_stage_inside(ModelFile& model, ModelFile stage);

}  // namespace ldm
