#pragma once

#include "ldm/diffusion/sampler_run.h"

namespace ldm {

// The step away from pure noise, where the schedule ends at zero signal (zero terminal SNR, flow matching).
// The level there is infinite and clean + sigma noise says nothing; but the noise estimate is the state
// itself, so the step of every first-order method is D + sigma' noise (Lin et al. 2024, Sec. 3.3, with v or
// x0 prediction). `noise` is the unit noise; the result is at level `to`. eta > 0 replaces that share of it
// by fresh noise.
torch::Tensor step_from_pure_noise(const Denoiser& denoise, const torch::Tensor& noise, double to,
                                   const SamplerRun& run, double eta = 0.0);

}  // namespace ldm
