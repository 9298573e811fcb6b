#pragma once

#include "ldm/diffusion/sampler_run.h"
#include "ldm/diffusion/schedule.h"

namespace ldm {

// Multistep consistency sampling (Song et al. 2023, Algorithm 1; Luo et al. 2023, "Latent Consistency
// Models", Algorithm 3): the estimate, noised again to the next level. For models distilled for it, 1 to 8
// steps. One model call a step; no noise in a step to 0.
torch::Tensor sample_lcm(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                         const SamplerRun& run, double s_noise = 1.0);

// The boundary condition of latent consistency models: c_skip x_t + c_out D with s = time_scaling t, c_skip =
// d^2 / (s^2 + d^2), c_out = s / sqrt(s^2 + d^2), d = sigma_data; x_t is the variance-preserving state. With
// the usual scaling of 10 it differs from D at the smallest timesteps only.
Denoiser lcm_denoiser(Denoiser denoise, const NoiseSchedule& schedule, double time_scaling = 10.0,
                      double sigma_data = 0.5);

}  // namespace ldm
