#pragma once

#include <filesystem>

#include "ldm/model/model_file.h"

namespace ldm {

// The original's layout: one safetensors file of model.diffusion_model.*, first_stage_model.* and
// cond_stage_model.* (conditioner.* for SDXL), and the YAML beside it under the same name. Atomic, each file
// for itself. Throws kData.
void write_original_file(const std::filesystem::path& path, const ModelFile& model, at::ScalarType dtype);

// A folder as diffusers saves pipelines: model_index.json, unet, vae or vqvae, scheduler, and for models with
// captions text_encoder and tokenizer (Stable Diffusion 1 and 2), of SDXL two of each; a first stage alone
// becomes the folder of one network. Made under a
// temporary name, then renamed; `folder` must not exist or be empty. Throws kUsage for networks that
// diffusers does not have, kData.
void write_diffusers_folder(const std::filesystem::path& folder, const ModelFile& model,
                            at::ScalarType dtype);

}  // namespace ldm
