#pragma once

#include "ldm/diffusion/sampler_run.h"

namespace ldm {

struct DdimOptions {
  double eta = 0.0;          // 0: deterministic; 1: the noise of ancestral sampling.
  double temperature = 1.0;  // Scales that noise.
  double clip = 0.0;         // Clamps the estimate to [-clip, clip]; 0: not. diffusers has it on, at 1.
  // The noise that goes with a clamped estimate: that of the model, or what the state then has left.
  bool clip_noise = false;
};

// Denoising diffusion implicit models (Song et al. 2020, Eq. 12). With sigma^2 = (1 - a) / a the step reads
//   x' = D + sqrt(sigma'^2 - u^2) (x - D) / sigma + u noise,   u = eta sigma' sqrt(1 - sigma'^2 / sigma^2).
// One model call a step. Noise is drawn at every step if eta > 0, the last one included, as the original
// does.
torch::Tensor sample_ddim(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                          const SamplerRun& run, const DdimOptions& options = {});

}  // namespace ldm
