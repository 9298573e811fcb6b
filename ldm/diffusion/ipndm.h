#pragma once

#include "ldm/diffusion/sampler_run.h"

namespace ldm {

// Improved pseudo numerical methods (Zhang & Chen 2023, Appendix on iPNDM): the slope in sigma extrapolated
// by Adams-Bashforth of order 1, 2, 3, then 4, as if the steps were equal. One model call a step; a step to 0
// is an Euler step. Throws kUsage unless order is 1..4.
torch::Tensor sample_ipndm(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                           const SamplerRun& run, int64_t order = 4);

}  // namespace ldm
