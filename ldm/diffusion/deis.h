#pragma once

#include "ldm/diffusion/sampler_run.h"

namespace ldm {

struct DeisOptions {
  int64_t order = 3;              // 1..4.
  bool lower_order_final = true;  // No more than the steps that are left, in runs below 15 steps (diffusers).
};

// Diffusion exponential integrator sampler (Zhang & Chen 2023), variant tAB in log sigma: the noise estimate
// is a polynomial in log sigma, integrated exactly over sigma. One model call a step; a step to 0 is first
// order.
torch::Tensor sample_deis(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                          const SamplerRun& run, const DeisOptions& options = {});

}  // namespace ldm
