#pragma once

#include <memory>

#include "ldm/image/image.h"
#include "ldm/model/latent_diffusion.h"
#include "ldm/train/run_config.h"

namespace ldm {

// A grid of pictures drawn from fixed seeds, to watch a training by: one for each of `prompts`; without them
// each class in turn; without classes whatever comes. The model must be in evaluation mode.
Image draw_sample_grid(const std::shared_ptr<const LatentDiffusion>& model,
                       const std::vector<std::string>& prompts);

}  // namespace ldm
