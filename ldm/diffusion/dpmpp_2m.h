#pragma once

#include "ldm/diffusion/sampler_run.h"

namespace ldm {

// DPM-Solver++(2M) (Lu et al. 2022, "DPM-Solver++", Algorithm 2): second-order multistep in the data
// prediction. One model call a step; the first step, and a step to 0, are first order.
torch::Tensor sample_dpmpp_2m(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                              const SamplerRun& run);

}  // namespace ldm
