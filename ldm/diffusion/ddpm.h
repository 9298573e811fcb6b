#pragma once

#include "ldm/diffusion/sampler_run.h"

namespace ldm {

struct DdpmOptions {
  double v_posterior = 0.0;    // 0: the posterior's variance; 1: beta (the larger choice); between: between.
  bool clip_denoised = false;  // Clamp the estimate to [-1, 1] first (pixel models).
  double temperature = 1.0;    // Scales the noise.
};

// Ancestral sampling (Ho et al. 2020, Algorithm 2), with the posterior of whatever levels are given:
//   x' = D + (sigma'^2 / sigma^2) (x - D) + noise of the posterior's variance.
// One model call a step. Noise is drawn at every step, as the original does, but not added where the target
// is 0.
torch::Tensor sample_ddpm(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                          const SamplerRun& run, const DdpmOptions& options = {});

}  // namespace ldm
