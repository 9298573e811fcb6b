#pragma once

#include "ldm/diffusion/sampler_run.h"

namespace ldm {

// Euler's method on the probability-flow ODE dx/dsigma = (x - D) / sigma, with churn (Karras et al. 2022,
// Algorithm 2 without its correction). One model call a step. Without churn this is DDIM with eta 0.
torch::Tensor sample_euler(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                           const SamplerRun& run, const ChurnOptions& options = {});

}  // namespace ldm
