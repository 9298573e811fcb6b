#pragma once

#include "ldm/diffusion/sampler_run.h"

namespace ldm {

// Heun's second-order method with churn (Karras et al. 2022, Algorithm 2). Two model calls a step; a step to
// 0 is an Euler step.
torch::Tensor sample_heun(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                          const SamplerRun& run, const ChurnOptions& options = {});

// Its step: the mean of the slopes at both ends. `denoised` is D(x; from); to 0 it is an Euler step.
torch::Tensor heun_step(const Denoiser& denoise, const torch::Tensor& x, const torch::Tensor& denoised,
                        double from, double to);

}  // namespace ldm
