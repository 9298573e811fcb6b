#pragma once

#include <torch/types.h>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ldm/diffusion/sampler_run.h"
#include "ldm/diffusion/schedule.h"

namespace ldm {

// What a request may say about sampling. What a sampler has no use for it ignores.
struct SampleOptions {
  int64_t steps = 50;         // Exactly so many (but see spacing "original"), 1 to the schedule's timesteps.
  std::string spacing;        // See spacing.h; empty: the sampler's own.
  std::optional<double> eta;  // Share of fresh noise; empty: the sampler's own (ddim 0, euler_a 1).
  double s_churn = 0.0;       // euler, heun: see ChurnOptions.
  double s_tmin = 0.0;
  double s_tmax = 1e300;
  double s_noise = 1.0;
  double temperature = 1.0;    // ddim, ddpm: scales fresh noise.
  double rho = 7.0;            // Of the karras spacing.
  double v_posterior = 0.0;    // ddpm: 0 the posterior's variance, 1 beta.
  bool clip_denoised = false;  // ddpm: clamp the estimate to [-1, 1].

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("steps", steps, "sampling steps");
    visit("spacing", spacing, "uniform, quad, original, linspace, leading, trailing, karras, exponential");
    visit("eta", eta, "share of fresh noise in each step");
    visit("s_churn", s_churn, "amount of churn (euler, heun)");
    visit("s_tmin", s_tmin, "lowest noise level with churn");
    visit("s_tmax", s_tmax, "highest noise level with churn");
    visit("s_noise", s_noise, "scale of fresh noise (euler, euler_a, heun)");
    visit("temperature", temperature, "scale of fresh noise (ddim, ddpm)");
    visit("rho", rho, "exponent of the karras spacing");
    visit("v_posterior", v_posterior, "ddpm: 0 the posterior's variance, 1 beta");
    visit("clip_denoised", clip_denoised, "ddpm: clamp the estimate to [-1, 1]");
  }
};

// One row of the table of samplers.
struct SamplerInfo {
  std::string name;
  std::vector<std::string> aliases;  // As users know it from k-diffusion, diffusers and the web UIs.
  std::string summary;
  std::string spacing;  // The default.
  // The original's own samplers start from unit noise at the variance-preserving state and, with the
  // original's spacings, end at the schedule's first level instead of 0.
  bool original = false;
  bool stochastic = false;     // With its default options.
  int64_t calls_per_step = 1;  // Model calls.
  torch::Tensor (*run)(const Denoiser&, torch::Tensor x, const std::vector<double>& sigmas, const SamplerRun&,
                       const SampleOptions&) = nullptr;
};

std::span<const SamplerInfo> samplers();

// By name or alias; case, spaces, '-' and '_' do not matter, '+' is "p". Throws kUsage, naming the nearest.
const SamplerInfo& find_sampler(std::string_view name);

// The levels that sample() walks through: steps + 1 of them. Throws kUsage as make_sigmas does.
std::vector<double> sampler_sigmas(const SamplerInfo& sampler, const NoiseSchedule& schedule,
                                   const SampleOptions& options);

// Unit noise [N, C, H, W] -> clean latents. run.noise is needed by stochastic samplers.
// Throws kUsage for impossible options; when run.stop is requested, returns the state reached so far.
torch::Tensor sample(const SamplerInfo& sampler, const Denoiser& denoise, const NoiseSchedule& schedule,
                     const torch::Tensor& unit_noise, const SampleOptions& options, const SamplerRun& run);

}  // namespace ldm
