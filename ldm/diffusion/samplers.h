#pragma once

#include <torch/types.h>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ldm/diffusion/parameterization.h"
#include "ldm/diffusion/sampler_run.h"
#include "ldm/diffusion/schedule.h"

namespace ldm {

// What a request may say about sampling. What a sampler has no use for it ignores.
struct SampleOptions {
  int64_t steps =
      50;  // Exactly so many (but see the summaries of spacings()), 1 to the schedule's timesteps.
  std::string spacing;             // See spacing.h; empty: the sampler's own.
  std::vector<double> sigmas;      // Levels of one's own, descending; then steps and spacing say nothing.
  double rho = 0.0;                // Of the spacings karras (0: 7) and polyexponential (0: 1).
  double alpha = 0.6, beta = 0.6;  // Of the beta spacings.

  std::optional<double> eta;      // Share of fresh noise; empty: the sampler's own (ddim 0, euler_a 1).
  std::optional<double> s_churn;  // See ChurnOptions; empty: the sampler's own (edm 40, others 0).
  std::optional<double> s_tmin, s_tmax;
  std::optional<double> s_noise;  // Scales fresh noise; empty: 1 (edm 1.003).
  bool draw_when_needed = false;  // As diffusers draws churn noise.
  double temperature = 1.0;       // ddim, ddpm: scales fresh noise.
  double v_posterior = 0.0;       // ddpm: 0 the posterior's variance, 1 beta.
  bool clip_denoised = false;     // ddpm, ddim: clamp the estimate to [-1, 1].
  std::optional<int64_t>
      order;  // dpm_solver, deis, unipc, lms, ipndm, dpm_adaptive; empty: the sampler's own.
  std::optional<bool> lower_order_final;  // dpm_solver, deis, unipc; empty: true.
  std::string
      solver_type;  // dpm_solver, dpmpp_2m_sde: midpoint, heun; unipc: bh1, bh2; empty: midpoint, bh2.
  bool predict_noise = false;         // dpm_solver, unipc: integrate the noise estimate, not the clean one.
  double r = 0.5;                     // dpmpp_sde: the place of the inner level.
  double rtol = 0.05, atol = 0.0078;  // dpm_adaptive.
  double restart_min = 0.1, restart_max = 2.0;               // restart: see RestartSegment.
  int64_t restart_steps = 0, restart_times = 1;              // 0: a quarter of the steps.
  OutputScaling scaling = output_scaling(Prediction::kEps);  // euler_diffusers: what the network returns.

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("steps", steps, "sampling steps");
    visit("spacing", spacing, "where they lie");
    visit("sigmas", sigmas, "levels of one's own, descending");
    visit("rho", rho, "spacings karras and polyexponential: the exponent; 0: 7 and 1");
    visit("alpha", alpha, "spacings beta and beta_sigma: first parameter");
    visit("beta", beta, "spacings beta and beta_sigma: second parameter");
    visit("eta", eta, "share of fresh noise in each step");
    visit("s_churn", s_churn, "churn of euler, heun, dpm2, edm: amount");
    visit("s_tmin", s_tmin, "churn: lowest level");
    visit("s_tmax", s_tmax, "churn: highest level");
    visit("s_noise", s_noise, "scale of fresh noise");
    visit("draw_when_needed", draw_when_needed, "churn: draw noise only at steps that use it, as diffusers");
    visit("temperature", temperature, "ddim, ddpm: scale of fresh noise");
    visit("v_posterior", v_posterior, "ddpm: 0 the posterior's variance, 1 beta");
    visit("clip_denoised", clip_denoised, "ddpm, ddim: clamp the estimate to [-1, 1]");
    visit("order", order, "dpm_solver, dpm_solver_singlestep, deis, unipc, lms, ipndm, dpm_adaptive: order");
    visit("lower_order_final", lower_order_final,
          "dpm_solver, dpm_solver_singlestep, deis, unipc: lower the order at the end");
    visit("solver_type", solver_type, "dpm_solver, dpmpp_2m_sde: midpoint or heun; unipc: bh1 or bh2");
    visit("predict_noise", predict_noise, "dpm_solver, unipc: integrate the noise estimate");
    visit("r", r, "dpmpp_sde: place of the inner level");
    visit("rtol", rtol, "dpm_adaptive: relative tolerance");
    visit("atol", atol, "dpm_adaptive: absolute tolerance");
    visit("restart_min", restart_min, "restart: level from which it goes back up");
    visit("restart_max", restart_max, "restart: level up to which");
    visit("restart_steps", restart_steps, "restart: levels of the way down; 0: a quarter of the steps");
    visit("restart_times", restart_times, "restart: how often");
  }
};

// How sample() treats a sampler's levels.
enum class SamplerEnd {
  kZero,      // The levels end in 0, the result is clean.
  kOriginal,  // The original's own: starts from unit noise at the variance-preserving state and, with the
              // original's spacings, ends at the schedule's first level.
  kLowest,    // Ends at the lowest level above 0, as k-diffusion's dpm_fast and dpm_adaptive do.
};

// One row of the table of samplers.
struct SamplerInfo {
  using Run = torch::Tensor (*)(const Denoiser&, torch::Tensor x, const std::vector<double>& sigmas,
                                const SamplerRun&, const SampleOptions&, const NoiseSchedule&);
  using GuidedRun = torch::Tensor (*)(const GuidedDenoiser&, torch::Tensor x,
                                      const std::vector<double>& sigmas, const SamplerRun&,
                                      const SampleOptions&);
  std::string name;
  std::vector<std::string> aliases;  // As users know it from k-diffusion, diffusers and the web UIs.
  std::string summary;
  std::string spacing = "karras";  // The default.
  SamplerEnd end = SamplerEnd::kZero;
  bool stochastic = false;     // With its default options.
  int64_t calls_per_step = 1;  // Model calls, at most.
  int64_t order = 1;           // Of accuracy, without fresh noise; 0: it is no ODE solver.
  Run run = nullptr;
  GuidedRun run_guided = nullptr;  // CFG++ samplers have this one instead.
};

// Throws kUsage, with the option's name, for numbers that are not finite, and negative ones where a scale of
// noise or a share is meant.
void check_sample_options(const SampleOptions& options);

std::span<const SamplerInfo> samplers();

// By name or alias; case, spaces, '-', '_' and a leading "sample_" do not matter, '+' is "p". Throws kUsage,
// naming the nearest.
const SamplerInfo& find_sampler(std::string_view name);

// The levels that sample() walks through: steps + 1 of them. Throws kUsage as make_sigmas does.
std::vector<double> sampler_sigmas(const SamplerInfo& sampler, const NoiseSchedule& schedule,
                                   const SampleOptions& options);

// Unit noise [N, C, H, W] -> clean latents. run.noise is needed by stochastic samplers. Throws kUsage for
// impossible options, or a CFG++ sampler; when run.stop is requested, returns the state reached so far.
torch::Tensor sample(const SamplerInfo& sampler, const Denoiser& denoise, const NoiseSchedule& schedule,
                     const torch::Tensor& unit_noise, const SampleOptions& options, const SamplerRun& run);
// The same for CFG++ samplers.
torch::Tensor sample(const SamplerInfo& sampler, const GuidedDenoiser& denoise, const NoiseSchedule& schedule,
                     const torch::Tensor& unit_noise, const SampleOptions& options, const SamplerRun& run);

}  // namespace ldm
