#pragma once

#include "ldm/diffusion/dpmpp_2m_sde.h"

namespace ldm {

// DPM-Solver++(S) for the SDE (k-diffusion's sample_dpmpp_sde): an ancestral step to the level at the
// fraction r of the way in lambda, then one over the whole way with both estimates. Two model calls and two
// draws a step; a step to 0 is an Euler step. Throws kUsage unless 0 < r <= 1.
torch::Tensor sample_dpmpp_sde(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                               const SamplerRun& run, const DpmppSdeOptions& options = {}, double r = 0.5);

}  // namespace ldm
