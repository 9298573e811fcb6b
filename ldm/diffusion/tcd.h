#pragma once

#include "ldm/diffusion/sampler_run.h"
#include "ldm/diffusion/schedule.h"

namespace ldm {

// Trajectory consistency distillation, strategic stochastic sampling (Zheng et al. 2024, Algorithm 4): a DDIM
// step to the timestep floor((1 - eta) t'), then noise up to t', the next level's. eta 0 is DDIM, eta 1
// resembles lcm. For models distilled for it. One model call a step; no noise in the last step, which goes to
// the floor of its timestep too.
torch::Tensor sample_tcd(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                         const SamplerRun& run, const NoiseSchedule& schedule, double eta = 0.3);

}  // namespace ldm
