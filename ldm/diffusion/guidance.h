#pragma once

#include <torch/types.h>

#include "ldm/diffusion/denoiser.h"

namespace ldm {

// Classifier-free guidance (Ho & Salimans 2022): uncond + scale (cond - uncond). Scale 1 is the condition
// alone, 0 the uncondition.
torch::Tensor combine_guidance(const torch::Tensor& uncond, const torch::Tensor& cond, double scale);

// `both` is the network with its conditions bound for a batch of 2N: the first N rows unconditional, the last
// N conditional, so that one call serves both. `cond` is the same network bound to the N conditions alone; it
// is what comes back where scale is 1.
Network guided_network(Network both, Network cond, double scale);

// The same for denoisers, whose outputs combine in the same way.
Denoiser guided_denoiser(Denoiser both, Denoiser cond, double scale);

}  // namespace ldm
