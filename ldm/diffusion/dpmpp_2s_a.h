#pragma once

#include "ldm/diffusion/dpmpp_2m_sde.h"

namespace ldm {

// DPM-Solver++(2S), singlestep with the midpoint in lambda, to a lower level than asked, then noise back up
// (k-diffusion's sample_dpmpp_2s_ancestral). Two model calls a step; a step to 0 is an Euler step.
torch::Tensor sample_dpmpp_2s_a(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                                const SamplerRun& run, const DpmppSdeOptions& options = {});

}  // namespace ldm
