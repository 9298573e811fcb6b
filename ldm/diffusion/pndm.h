#pragma once

#include "ldm/diffusion/parameterization.h"
#include "ldm/diffusion/sampler_run.h"
#include "ldm/diffusion/schedule.h"

namespace ldm {

// Pseudo numerical methods for diffusion models, whole (Liu et al. 2022, Algorithm 2, F-PNDM): pseudo
// Runge-Kutta in the first three steps, of four model calls each, then pseudo linear multistep of order 4 as
// in plms.h, which leaves the Runge-Kutta steps out. The inner calls of a Runge-Kutta step lie halfway
// between the timesteps of its ends. A step to 0 never asks there: it takes the estimates that it has.
// Deterministic. `outputs` as for plms.
torch::Tensor sample_pndm(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                          const SamplerRun& run, const NoiseSchedule& schedule,
                          const OutputScaling& outputs = output_scaling(Prediction::kEps));

}  // namespace ldm
