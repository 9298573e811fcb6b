#include <algorithm>
#include <cmath>
#include <functional>

#include "ldm/core/error.h"
#include "ldm/diffusion/pure_noise.h"
#include "ldm/diffusion/sample_from.h"
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

// The step away from an infinite level, as any other step to who prepares it and who listens.
torch::Tensor first_step(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                         const SamplerRun& run, double eta) {
  const auto steps = static_cast<int64_t>(sigmas.size()) - 1;
  const Denoiser reported = [&](const torch::Tensor& at, const torch::Tensor& sigma) {
    auto denoised = denoise(at, sigma);
    run.report(0, steps, sigmas.front(), at, denoised);
    return denoised;
  };
  return step_from_pure_noise(reported, run.prepare(std::move(x), sigmas.front()), sigmas[1], run, eta);
}

// The run of the steps after the first.
SamplerRun after_first_step(SamplerRun run) {
  if (run.on_step)
    run.on_step = [on_step = std::move(run.on_step)](const StepEvent& e) {
      on_step({e.step + 1, e.steps + 1, e.sigma, e.x, e.denoised});
    };
  return run;
}

// Runs the sampler over finite levels.
using Walk = std::function<torch::Tensor(torch::Tensor, const std::vector<double>&, const SamplerRun&)>;

// Takes a first step from an infinite level apart, and undoes the scale of what ends above 0.
torch::Tensor sample_with(const SamplerInfo& sampler, const Denoiser& denoise, torch::Tensor x,
                          std::vector<double> sigmas, const SampleOptions& options, const SamplerRun& run,
                          const Walk& walk) {
  if (sigmas.size() < 2) return x;
  const double last = sigmas.back();
  const bool from_noise = std::isinf(sigmas.front());
  if (from_noise) {
    const double eta = options.eta.value_or(sampler.stochastic ? 1.0 : 0.0);
    x = first_step(denoise, std::move(x), sigmas, run, eta);
    sigmas.erase(sigmas.begin());
    if (sigmas.size() == 1) return x;
  }
  x = walk(std::move(x), sigmas, from_noise ? after_first_step(run) : run);
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

torch::Tensor start_of_noise(const SamplerInfo& sampler, const torch::Tensor& unit_noise,
                             const std::vector<double>& sigmas) {
  const double first = sigmas.front();
  if (std::isinf(first)) return unit_noise;
  return unit_noise * (sampler.end == SamplerEnd::kOriginal ? std::sqrt(1 + first * first) : first);
}

torch::Tensor sample_from(const SamplerInfo& sampler, const Denoiser& denoise, const NoiseSchedule& schedule,
                          torch::Tensor x, const std::vector<double>& sigmas, const SampleOptions& options,
                          const SamplerRun& run) {
  check(sampler.run != nullptr, "sample: ", sampler.name, " needs guidance, its estimate with and without");
  return sample_with(sampler, denoise, std::move(x), sigmas, options, run,
                     [&](torch::Tensor at, const std::vector<double>& levels, const SamplerRun& rest) {
                       return sampler.run(denoise, std::move(at), levels, rest, options, schedule);
                     });
}

torch::Tensor sample_from(const SamplerInfo& sampler, const GuidedDenoiser& denoise, torch::Tensor x,
                          const std::vector<double>& sigmas, const SampleOptions& options,
                          const SamplerRun& run) {
  check(sampler.run_guided != nullptr, "sample: ", sampler.name, " is no CFG++ sampler");
  const Denoiser guided = [&](const torch::Tensor& at, const torch::Tensor& sigma) {
    return denoise(at, sigma).denoised;
  };
  return sample_with(sampler, guided, std::move(x), sigmas, options, run,
                     [&](torch::Tensor at, const std::vector<double>& levels, const SamplerRun& rest) {
                       return sampler.run_guided(denoise, std::move(at), levels, rest, options);
                     });
}

torch::Tensor sample(const SamplerInfo& sampler, const Denoiser& denoise, const NoiseSchedule& schedule,
                     const torch::Tensor& unit_noise, const SampleOptions& options, const SamplerRun& run) {
  const auto sigmas = sampler_sigmas(sampler, schedule, options);
  return sample_from(sampler, denoise, schedule, start_of_noise(sampler, unit_noise, sigmas), sigmas, options,
                     run);
}

torch::Tensor sample(const SamplerInfo& sampler, const GuidedDenoiser& denoise, const NoiseSchedule& schedule,
                     const torch::Tensor& unit_noise, const SampleOptions& options, const SamplerRun& run) {
  const auto sigmas = sampler_sigmas(sampler, schedule, options);
  return sample_from(sampler, denoise, start_of_noise(sampler, unit_noise, sigmas), sigmas, options, run);
}

}  // namespace ldm
