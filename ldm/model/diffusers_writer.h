#pragma once

#include <filesystem>

#include "ldm/model/model_file.h"

namespace ldm {

// A folder as diffusers saves pipelines: model_index.json, unet, vae or vqvae, scheduler, and for models with
// captions text_encoder and tokenizer (Stable Diffusion 1 and 2), of SDXL two of each; a first stage alone
// becomes the folder of one network. Made under a temporary name, then put in the place of `folder`, which
// must not exist, be empty or be a folder of diffusers. Throws kUsage for another folder, for a model whose
// first stage is not inside (see first_stage_inside.h), and for networks that diffusers does not have; kData.
void write_diffusers_folder(const std::filesystem::path& folder, const ModelFile& model,
                            at::ScalarType dtype);

}  // namespace ldm
