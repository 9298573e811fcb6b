#pragma once

#include "ldm/diffusion/sampler_run.h"

namespace ldm {

// Linear multistep (Adams-Bashforth for uneven steps) on the probability-flow ODE in sigma, of order 1..4
// (k-diffusion's sample_lms). One model call a step; the first steps have lower order. Throws kUsage for
// another order.
torch::Tensor sample_lms(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                         const SamplerRun& run, int64_t order = 4);

}  // namespace ldm
