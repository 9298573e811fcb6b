#pragma once

#include <cstdint>
#include <vector>

#include "ldm/diffusion/sampler_run.h"

namespace ldm {

// When the walk arrives at the level nearest to `min`, it goes back up to the level nearest to `max` and down
// again, `times` times, over `steps` Karras-spaced levels (both ends included).
struct RestartSegment {
  double min = 0.1, max = 2.0;
  int64_t steps = 4, times = 1;
};

struct RestartOptions {
  std::vector<RestartSegment> segments{{}};
  double s_noise = 1.0;  // Scales the noise of going up.
  double rho = 7.0;      // Of the spacing inside a segment.
};

// One Heun step of the walk. Where `from` is above the level that the step before reached, noise goes first.
struct RestartStep {
  double from = 0.0, to = 0.0;
};
std::vector<RestartStep> restart_plan(const std::vector<double>& sigmas, const RestartOptions& options);

// Restart sampling (Xu et al. 2023, "Restart Sampling for Improving Generative Processes", Algorithm 1), with
// Heun steps between the levels. Two model calls a step; a step to 0 is an Euler step.
torch::Tensor sample_restart(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                             const SamplerRun& run, const RestartOptions& options = {});

// The same over a given plan.
torch::Tensor walk_restart_plan(const Denoiser& denoise, torch::Tensor x,
                                const std::vector<RestartStep>& plan, const SamplerRun& run,
                                double s_noise = 1.0);

}  // namespace ldm
