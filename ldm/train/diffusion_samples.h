#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ldm/image/image.h"
#include "ldm/model/latent_diffusion.h"
#include "ldm/train/diffusion_data.h"

namespace ldm {

// Grids of pictures drawn from fixed seeds, to watch a training by. The model must be in evaluation mode.

// One picture for each of `prompts`; without them each class in turn; without classes whatever comes.
Image draw_sample_grid(const std::shared_ptr<const LatentDiffusion>& model,
                       const std::vector<std::string>& prompts);

// A column for each example: its condition where that can be seen, what the model draws of it, the true
// picture. null: what stands for "no condition" in guidance; without it there is none.
Image draw_task_grid(const std::shared_ptr<const LatentDiffusion>& model,
                     const std::vector<ShownExample>& examples, const std::optional<Condition>& null);

}  // namespace ldm
