#pragma once

#include "ldm/diffusion/dpmpp_2m_sde.h"

namespace ldm {

// The third-order method of that family (k-diffusion's sample_dpmpp_3m_sde). The first two steps have orders
// 1 and 2.
torch::Tensor sample_dpmpp_3m_sde(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                                  const SamplerRun& run, const DpmppSdeOptions& options = {});

}  // namespace ldm
