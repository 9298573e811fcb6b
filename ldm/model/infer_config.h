#pragma once

#include "ldm/config/node.h"
#include "ldm/nn/state_dict.h"

namespace ldm {

// The configuration of a model from the names and shapes of its weights (the original's layout), for files
// without one: Stable Diffusion 1 and 2, SDXL, and models of latent-diffusion with a class, a caption or no
// condition. What shapes do not tell is that of the published models: 8 heads (Stable Diffusion 1), 64
// channels a head (2, XL), 32 (without a condition), the noise schedule and scale_factor of each family, and
// noise as what the network predicts. Throws kFormat when a part is not recognised.
Node infer_config(const StateDict& tensors);

// Sets model.params.scale_factor.
void set_scale_factor(Node& config, double factor);

}  // namespace ldm
