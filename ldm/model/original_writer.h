#pragma once

#include <filesystem>

#include "ldm/model/model_file.h"

namespace ldm {

// The original's layout: one safetensors file of model.diffusion_model.*, first_stage_model.* and
// cond_stage_model.* (conditioner.* for SDXL), and its YAML beside it, see original_yaml_path(). What the
// layout has no place for goes along: the vocabulary in the file's metadata (ldm.vocabulary), the names of
// the condition's numbers in the YAML (data.task). Settings of the training that name files are left out.
// Both are complete before either appears. Throws kUsage unless the name ends in .safetensors, and for a
// model whose first stage is not inside (see first_stage_inside.h); kData.
void write_original_file(const std::filesystem::path& path, const ModelFile& model, at::ScalarType dtype);

// FILE.yaml beside FILE.safetensors or FILE.ckpt.
std::filesystem::path original_yaml_path(const std::filesystem::path& path);

}  // namespace ldm
