#pragma once

#include <functional>

#include "ldm/diffusion/sampler_run.h"

namespace ldm {

// One attempted step of dpm_adaptive.
struct DpmAdaptiveAttempt {
  const torch::Tensor& x;         // The state after it, moved or not.
  const torch::Tensor& denoised;  // The estimate at its start.
  double next_length = 0.0;       // What will be tried next, in log sigma.
  double error = 0.0;             // 1 is the tolerance.
  bool accepted = false;
  int64_t calls = 0;  // Model calls so far.
};

struct DpmAdaptiveOptions {
  int64_t order = 3;           // 2 or 3.
  double rtol = 0.05;          // Tolerance relative to the state,
  double atol = 0.0078;        // and absolute.
  double first_length = 0.05;  // The first step, in log sigma.
  double pcoeff = 0.0, icoeff = 1.0,
         dcoeff = 0.0;          // Of the step size controller (proportional, integral, ...).
  double accept_safety = 0.81;  // Attempts that would shrink the step by more are undone.
  double eta = 0.0;             // Share of fresh noise.
  double s_noise = 1.0;         // Scales it.
  std::function<void(const DpmAdaptiveAttempt&)> on_attempt;
};

// DPM-Solver-12 and -23 with adaptive steps (Lu et al. 2022, "DPM-Solver", Appendix C; k-diffusion's
// sample_dpm_adaptive, its PID controller included). Only the first and the last level count, and the last
// must be above 0 (kUsage). The error is read back from the device once an attempt, and on_step counts per
// cents of the way in log sigma.
torch::Tensor sample_dpm_adaptive(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                                  const SamplerRun& run, const DpmAdaptiveOptions& options = {});

}  // namespace ldm
