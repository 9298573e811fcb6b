#pragma once

#include <torch/types.h>

#include <vector>

#include "ldm/diffusion/samplers.h"

namespace ldm {

// sample() in two halves, for runs that begin with a noised picture instead of noise.

// The state with which a run over these levels begins: noise of the first level, variance preserving in size
// where the sampler is the original's own; the noise itself where that level is infinite.
torch::Tensor start_of_noise(const SamplerInfo& sampler, const torch::Tensor& unit_noise,
                             const std::vector<double>& sigmas);

// From the state x [N, C, H, W] at the level sigmas.front() (unit noise where it is infinite) to clean
// latents. sigmas: sampler_sigmas() or the last of them; of fewer than two, x comes back. Throws as sample().
torch::Tensor sample_from(const SamplerInfo& sampler, const Denoiser& denoise, const NoiseSchedule& schedule,
                          torch::Tensor x, const std::vector<double>& sigmas, const SampleOptions& options,
                          const SamplerRun& run);
torch::Tensor sample_from(const SamplerInfo& sampler, const GuidedDenoiser& denoise, torch::Tensor x,
                          const std::vector<double>& sigmas, const SampleOptions& options,
                          const SamplerRun& run);

}  // namespace ldm
