#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "ldm/core/stop.h"
#include "ldm/diffusion/denoiser.h"

namespace ldm {

// What all samplers have in common.
//
// A sampler is a free function sample_x(denoise, x, sigmas, run, options). Its state is "variance exploding":
// x [N, ...] = clean + sigma noise, and it must come in at the level sigmas[0]. `sigmas` descends, has one
// entry more than there are steps and may end in 0. What comes back is at the level sigmas.back(). Levels are
// numbers on the host and nothing is read back from the device, so that a GPU never waits.

// One step as a listener sees it. x is the state that the model was asked about (first), denoised its
// estimate.
struct StepEvent {
  int64_t step = 0;  // From 0.
  int64_t steps = 0;
  double sigma = 0.0;
  const torch::Tensor& x;
  const torch::Tensor& denoised;
};

struct SamplerRun {
  NoiseFn noise;  // Needed by samplers that add noise.
  // SDE samplers ask this first, if it is there (see core/brownian.h).
  PathNoiseFn path_noise;
  std::function<void(const StepEvent&)> on_step;  // Called once a step, after its first model call.
  // Replaces the state before each step (inpainting blends the known part in here); level as in StepEvent. At
  // an infinite level the state is the unit noise.
  std::function<torch::Tensor(const torch::Tensor& x, double sigma)> before_step;
  StopToken stop;  // When requested, a sampler returns its state before the next step; whoever called looks
                   // at the token.

  torch::Tensor prepare(torch::Tensor x, double sigma) const;
  void report(int64_t step, int64_t steps, double sigma, const torch::Tensor& x,
              const torch::Tensor& denoised) const;
  torch::Tensor draw(std::string_view who,
                     const torch::Tensor& like) const;  // Throws kUsage without `noise`.
  // From path_noise, else noise. Throws kUsage without either.
  torch::Tensor draw_between(std::string_view who, const torch::Tensor& like, double from, double to) const;
};

// D(x; sigma) for one level of the whole batch.
torch::Tensor denoise_at(const Denoiser& denoise, const torch::Tensor& x, double sigma);
GuidedEstimate denoise_at(const GuidedDenoiser& denoise, const torch::Tensor& x, double sigma);

// Euler's step on dx/dsigma = (x - D) / sigma, written so that a step to 0 gives exactly D.
torch::Tensor euler_step(const torch::Tensor& x, const torch::Tensor& denoised, double from, double to);

// Throws kUsage unless there are two or more levels, they descend (equal neighbours allowed), the first is
// finite and above 0 and the last is not negative.
void check_sigmas(std::string_view who, const std::vector<double>& sigmas);

// Splits a step from one level to another into a deterministic part that ends at `down` and fresh noise of
// standard deviation `up`, so that down^2 + up^2 = to^2. eta 0: all deterministic; 1: as much noise as the
// posterior has. `from` may be infinite.
struct AncestralStep {
  double down = 0.0, up = 0.0;
};
AncestralStep ancestral_step(double from, double to, double eta);

// Fresh noise during sampling (Karras et al. 2022, Algorithm 2), as k-diffusion has it.
struct ChurnOptions {
  double s_churn = 0.0;  // 0: none.
  double s_tmin = 0.0;   // Only at levels in [s_tmin, s_tmax].
  double s_tmax = 1e300;
  double s_noise = 1.0;  // Scales the noise.
  // Draw noise only at steps that use it, as diffusers does. k-diffusion and NVlabs draw at every step; with
  // equal seeds the choice decides which noise a step gets.
  bool draw_when_needed = false;
};

// The level to which churn raises `sigma` in a run of `steps` steps.
double churned_level(double sigma, int64_t steps, const ChurnOptions& options);

// Raises x from `sigma` to the level that is returned.
double churn(std::string_view who, torch::Tensor& x, double sigma, int64_t steps, const ChurnOptions& options,
             const SamplerRun& run);

// before_step for inpainting: where mask is 1 the known latents, noised to the level, replace the state (the
// original's DDIM). mask broadcasts over channels and may be fractional.
std::function<torch::Tensor(const torch::Tensor&, double)> keep_known(torch::Tensor known, torch::Tensor mask,
                                                                      NoiseFn noise);

}  // namespace ldm
