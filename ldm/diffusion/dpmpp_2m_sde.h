#pragma once

#include "ldm/diffusion/exponential_step.h"
#include "ldm/diffusion/sampler_run.h"

namespace ldm {

struct DpmppSdeOptions {
  double eta = 1.0;      // Share of fresh noise; 0: the ODE.
  double s_noise = 1.0;  // Scales it.
};

// DPM-Solver++(2M) for the SDE (Lu et al. 2022, "DPM-Solver++", Section 5; k-diffusion's
// sample_dpmpp_2m_sde). One model call a step, fresh noise at every step but the one to 0. k-diffusion's
// "heun" is SlopeRule::kExact.
torch::Tensor sample_dpmpp_2m_sde(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                                  const SamplerRun& run, const DpmppSdeOptions& options = {},
                                  SlopeRule rule = SlopeRule::kMidpoint);

}  // namespace ldm
