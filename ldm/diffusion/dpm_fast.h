#pragma once

#include "ldm/diffusion/sampler_run.h"

namespace ldm {

struct DpmFastOptions {
  int64_t calls = 0;     // Model calls; 0: one for each interval of the sigmas.
  double eta = 0.0;      // Share of fresh noise.
  double s_noise = 1.0;  // Scales it.
};

// DPM-Solver-Fast (Lu et al. 2022, "DPM-Solver", Section 3.4; k-diffusion's sample_dpm_fast): exactly `calls`
// model calls in singlestep methods of order 3, the last ones lower, over equal steps in log sigma. Only the
// first and the last level count, and the last must be above 0 (kUsage).
torch::Tensor sample_dpm_fast(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                              const SamplerRun& run, const DpmFastOptions& options = {});

// The level to which the deterministic part of a step with fresh noise goes, and that noise: as
// ancestral_step, but never below `lowest`.
AncestralStep ancestral_step_above(double lowest, double from, double to, double eta);

}  // namespace ldm
