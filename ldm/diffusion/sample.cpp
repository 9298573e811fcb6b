#include <algorithm>
#include <cmath>
#include <functional>

#include "ldm/core/error.h"
#include "ldm/diffusion/pure_noise.h"
#include "ldm/diffusion/samplers.h"
#include "ldm/diffusion/spacing.h"

namespace ldm {
namespace {

// The last level where the original's samplers stop short of 0.
double sample_last_level(const SamplerInfo& sampler, const NoiseSchedule& schedule,
                         const std::string& spacing) {
  if (sampler.end != SamplerEnd::kOriginal || sampler.name == "ddpm") return 0.0;
  const bool theirs = spacing == "uniform" || spacing == "quad" || spacing == "original" || spacing == "lcm";
  return theirs ? schedule.sigma_min() : 0.0;
}

// Unit noise to clean latents: scales the noise, takes a first step from an infinite level apart, and undoes
// the scale of what ends above 0. `walk` runs the sampler over finite levels.
torch::Tensor sample_with(
    const SamplerInfo& sampler, const Denoiser& denoise, const NoiseSchedule& schedule,
    const torch::Tensor& unit_noise, const SampleOptions& options, const SamplerRun& run,
    const std::function<torch::Tensor(torch::Tensor, const std::vector<double>&)>& walk) {
  auto sigmas = sampler_sigmas(sampler, schedule, options);
  const double first = sigmas.front(), last = sigmas.back();
  torch::Tensor x;
  if (std::isinf(first)) {
    const double eta = options.eta.value_or(sampler.stochastic ? 1.0 : 0.0);
    x = step_from_pure_noise(denoise, unit_noise, sigmas[1], run, eta);
    sigmas.erase(sigmas.begin());
    if (sigmas.size() == 1) return x;
  } else {
    x = unit_noise * (sampler.end == SamplerEnd::kOriginal ? std::sqrt(1 + first * first) : first);
  }
  x = walk(std::move(x), sigmas);
  // Back to the variance-preserving state, which at level 0 is the clean one.
  const bool scaled = sampler.end == SamplerEnd::kOriginal && last > 0 && !run.stop.requested();
  return scaled ? x / std::sqrt(1 + last * last) : x;
}

}  // namespace

std::vector<double> sampler_sigmas(const SamplerInfo& sampler, const NoiseSchedule& schedule,
                                   const SampleOptions& o) {
  auto sigmas = o.sigmas;
  if (sigmas.empty()) {
    const auto& spacing = o.spacing.empty() ? sampler.spacing : o.spacing;
    const double last = sample_last_level(sampler, schedule, spacing);
    sigmas = make_sigmas(schedule, spacing, o.steps, {last, o.rho, o.alpha, o.beta});
  } else {
    check_sigmas("sigmas", sigmas);
  }
  if (sampler.end != SamplerEnd::kLowest) return sigmas;
  // As many levels as before, between the highest and the lowest: only their ends and their number count.
  const auto intervals = static_cast<int64_t>(sigmas.size()) - 1;
  const double lowest = sigmas.back() > 0 || intervals == 1 ? std::max(sigmas.back(), schedule.sigma_min())
                                                            : sigmas[sigmas.size() - 2];
  auto out = sigmas_exponential(intervals + 1, lowest, std::min(sigmas.front(), schedule.sigma_max()));
  out.pop_back();
  return out;
}

torch::Tensor sample(const SamplerInfo& sampler, const Denoiser& denoise, const NoiseSchedule& schedule,
                     const torch::Tensor& unit_noise, const SampleOptions& options, const SamplerRun& run) {
  check(sampler.run != nullptr, "sample: ", sampler.name, " needs guidance, its estimate with and without");
  return sample_with(sampler, denoise, schedule, unit_noise, options, run,
                     [&](torch::Tensor x, const std::vector<double>& sigmas) {
                       return sampler.run(denoise, std::move(x), sigmas, run, options, schedule);
                     });
}

torch::Tensor sample(const SamplerInfo& sampler, const GuidedDenoiser& denoise, const NoiseSchedule& schedule,
                     const torch::Tensor& unit_noise, const SampleOptions& options, const SamplerRun& run) {
  check(sampler.run_guided != nullptr, "sample: ", sampler.name, " is no CFG++ sampler");
  const Denoiser guided = [&](const torch::Tensor& x, const torch::Tensor& sigma) {
    return denoise(x, sigma).denoised;
  };
  return sample_with(sampler, guided, schedule, unit_noise, options, run,
                     [&](torch::Tensor x, const std::vector<double>& sigmas) {
                       return sampler.run_guided(denoise, std::move(x), sigmas, run, options);
                     });
}

}  // namespace ldm
