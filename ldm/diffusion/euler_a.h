#pragma once

#include "ldm/diffusion/sampler_run.h"

namespace ldm {

struct EulerAncestralOptions {
  double eta = 1.0;      // Share of fresh noise: 0 none (Euler), 1 as much as the posterior has.
  double s_noise = 1.0;  // Scales it.
};

// Euler steps to a lower level than asked, then noise back up (k-diffusion's sample_euler_ancestral). One
// model call a step; no noise is drawn where eta or the target is 0.
torch::Tensor sample_euler_a(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                             const SamplerRun& run, const EulerAncestralOptions& options = {});

}  // namespace ldm
