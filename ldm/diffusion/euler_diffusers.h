#pragma once

#include "ldm/diffusion/parameterization.h"
#include "ldm/diffusion/sampler_run.h"

namespace ldm {

// Euler's method with churn as diffusers has it (EulerDiscreteScheduler, EDMEulerScheduler): the model is
// asked before churn raises the state, its raw output is read as if it had been asked after, and noise is
// drawn only at steps that use it. `scaling` says what the output is; before_churn: its coefficients are
// those of the level before the churn, as diffusers has it for velocities. Without churn this is `euler`. One
// model call a step.
torch::Tensor sample_euler_diffusers(const Denoiser& denoise, torch::Tensor x,
                                     const std::vector<double>& sigmas, const SamplerRun& run,
                                     const ChurnOptions& options,
                                     const OutputScaling& scaling = output_scaling(Prediction::kEps),
                                     bool before_churn = false);

}  // namespace ldm
