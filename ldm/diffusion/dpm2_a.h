#pragma once

#include "ldm/diffusion/euler_a.h"

namespace ldm {

// dpm2's steps to a lower level than asked, then noise back up (k-diffusion's sample_dpm_2_ancestral). Two
// model calls a step; a step to 0 is an Euler step without noise.
torch::Tensor sample_dpm2_a(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                            const SamplerRun& run, const EulerAncestralOptions& options = {});

}  // namespace ldm
