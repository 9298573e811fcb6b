#pragma once

#include "ldm/diffusion/parameterization.h"
#include "ldm/diffusion/sampler_run.h"

namespace ldm {

// Pseudo linear multistep (Liu et al. 2022, "Pseudo Numerical Methods for Diffusion Models on Manifolds"): a
// DDIM step with the noise estimate extrapolated by Adams-Bashforth of order 2, 3, then 4. One model call a
// step, two in the first (improved Euler). Deterministic. `outputs`: what is extrapolated, the noise estimate
// or, as in diffusers, the velocity of a network that predicts that.
torch::Tensor sample_plms(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                          const SamplerRun& run,
                          const OutputScaling& outputs = output_scaling(Prediction::kEps));

}  // namespace ldm
