#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "ldm/model/latent_diffusion.h"
#include "ldm/model/open_model.h"
#include "ldm/nn/first_stage.h"

namespace ldm {

// Models of any layout (see open_model.h) ready to use. Loading is strict: names that are missing, unexpected
// or of another shape refuse the file with a table of them (kFormat). Weights are copied one by one out of
// the mapped file, whose pages are given back.

// A first stage from a first-stage file or from a diffusion model that holds one. A path "ENCODER,DECODER"
// names the two files of a tiny autoencoder (nn/tiny_autoencoder.h).
std::shared_ptr<FirstStage> load_first_stage(const std::filesystem::path& path);

// A whole model ready to draw. `first_stage`: another file than the one named inside. The named one is looked
// for beside the model and its hash is compared. Prepared for inference unless the packed weights would take
// more than three quarters of the memory that is available.
std::unique_ptr<LatentDiffusion> load_latent_diffusion(
    const std::filesystem::path& path, const std::optional<std::filesystem::path>& first_stage = {},
    const OpenOptions& options = {});

}  // namespace ldm
