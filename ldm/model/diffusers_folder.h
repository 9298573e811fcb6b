#pragma once

#include <filesystem>

#include "ldm/model/model_file.h"

namespace ldm {

// Whether a folder has the looks of one that diffusers saved: a pipeline's model_index.json or unet/, or the
// config.json of one network. Throws kFormat when that is no JSON.
bool is_diffusers_folder(const std::filesystem::path& folder);

// A folder as diffusers saves pipelines (model_index.json with unet, vae or vqvae, scheduler, text_encoder,
// tokenizer), or one network of it alone (config.json of an AutoencoderKL or VQModel). Tensors get the
// original's names and shapes, and what their config.json files say becomes the configuration.
// Throws kData when a part is missing, kFormat for what is not understood.
ModelFile open_diffusers_folder(const std::filesystem::path& folder);

}  // namespace ldm
