#include "ldm/diffusion/tcd.h"

#include <ATen/core/grad_mode.h>

#include <cmath>

#include "ldm/core/error.h"

namespace ldm {
namespace {

// The level of the timestep floor((1 - eta) t) below that of t.
double tcd_lower_level(const NoiseSchedule& schedule, double level, double eta) {
  if (level == 0) return 0.0;
  // Table levels come back from the inverse within rounding of a whole number, which must not fall below it.
  const double t = schedule.sigma_to_t(level);
  const double whole = std::abs(t - std::round(t)) < 1e-6 ? std::round(t) : t;
  const auto lower = static_cast<int64_t>(std::floor((1 - eta) * whole));
  return std::min(level, schedule.sigma(lower));
}

}  // namespace

torch::Tensor sample_tcd(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                         const SamplerRun& run, const NoiseSchedule& schedule, double eta) {
  check_sigmas("sample_tcd", sigmas);
  check(eta >= 0 && eta <= 1, "sample_tcd: expected eta in [0, 1], got ", eta);
  at::NoGradGuard no_grad;
  const auto steps = static_cast<int64_t>(sigmas.size()) - 1;
  for (int64_t i = 0; i < steps && !run.stop.requested(); ++i) {
    const double sigma = sigmas[i], next = sigmas[i + 1];
    x = run.prepare(x, sigma);
    const auto denoised = denoise_at(denoise, x, sigma);
    run.report(i, steps, sigma, x, denoised);
    const double lower = tcd_lower_level(schedule, next, eta);
    x = euler_step(x, denoised, sigma, lower);
    if (eta > 0 && i + 1 < steps) x = x + run.draw("sample_tcd", x) * std::sqrt(next * next - lower * lower);
  }
  return x;
}

}  // namespace ldm
