#pragma once

#include "ldm/diffusion/sampler_run.h"

namespace ldm {

// Second-order midpoint method on the probability-flow ODE, the midpoint in log sigma, with churn (Karras et
// al. 2022, Algorithm 2, with DPM-Solver-2's midpoint; k-diffusion's sample_dpm_2). Two model calls a step; a
// step to 0 is an Euler step.
torch::Tensor sample_dpm2(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                          const SamplerRun& run, const ChurnOptions& options = {});

// Its step: the slope at the geometric mean of both levels serves for the whole way.
torch::Tensor midpoint_step(const Denoiser& denoise, const torch::Tensor& x, const torch::Tensor& denoised,
                            double from, double to);

}  // namespace ldm
