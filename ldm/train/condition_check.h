#pragma once

#include <string>

#include "ldm/model/latent_diffusion.h"

namespace ldm {

// Puts one condition of the data through the conditioner and the network, before any long work. Throws
// kUsage, naming the keys to change, where the conditioner cannot read it, where tokens are beyond its
// vocabulary, where a map has another size than the latents or other channels than in_channels leaves for it,
// and where anything else does not fit.
void check_condition_fits(const LatentDiffusion& model, const Condition& condition,
                          const std::string& task_kind);

}  // namespace ldm
