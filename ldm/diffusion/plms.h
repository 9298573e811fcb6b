#pragma once

#include "ldm/diffusion/sampler_run.h"

namespace ldm {

// Pseudo linear multistep (Liu et al. 2022, "Pseudo Numerical Methods for Diffusion Models on Manifolds"): a
// DDIM step with the noise estimate extrapolated by Adams-Bashforth of order 2, 3, then 4. One model call a
// step, two in the first (improved Euler). Deterministic.
torch::Tensor sample_plms(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                          const SamplerRun& run);

}  // namespace ldm
