#pragma once

#include "ldm/diffusion/euler_a.h"
#include "ldm/diffusion/sampler_run.h"

namespace ldm {

// CFG++ (Chung et al. 2024, "CFG++: Manifold-constrained Classifier Free Guidance", Algorithm 2): steps
// towards the guided estimate, but with the noise of the unconditional one. Guidance scales lie in [0, 1]
// then, or a little above. One (guided) model call a step.

// x' = D + sigma' (x - D_uncond) / sigma, which is DDIM with that change.
torch::Tensor sample_euler_cfgpp(const GuidedDenoiser& denoise, torch::Tensor x,
                                 const std::vector<double>& sigmas, const SamplerRun& run);

// The same to a lower level than asked, then noise back up.
torch::Tensor sample_euler_a_cfgpp(const GuidedDenoiser& denoise, torch::Tensor x,
                                   const std::vector<double>& sigmas, const SamplerRun& run,
                                   const EulerAncestralOptions& options = {});

// DPM-Solver++(2M) with that change, as ComfyUI has it.
torch::Tensor sample_dpmpp_2m_cfgpp(const GuidedDenoiser& denoise, torch::Tensor x,
                                    const std::vector<double>& sigmas, const SamplerRun& run);

}  // namespace ldm
