#include "ldm/diffusion/ddpm.h"

#include <ATen/core/grad_mode.h>

#include <cmath>

namespace ldm {
namespace {

// Standard deviation of the noise of a step, in units of clean + sigma noise: the posterior's variance is
// s'^2 (s^2 - s'^2) / s^2, beta is (s^2 - s'^2) (1 + s'^2) / (1 + s^2).
double ddpm_noise_level(double s, double next, double v_posterior) {
  const double fall = s * s - next * next;
  const double small = next * next * fall / (s * s);
  const double large = fall * (1 + next * next) / (1 + s * s);
  return std::sqrt((1 - v_posterior) * small + v_posterior * large);
}

}  // namespace

torch::Tensor sample_ddpm(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                          const SamplerRun& run, const DdpmOptions& options) {
  check_sigmas("sample_ddpm", sigmas);
  at::NoGradGuard no_grad;
  const auto steps = static_cast<int64_t>(sigmas.size()) - 1;
  for (int64_t i = 0; i < steps && !run.stop.requested(); ++i) {
    const double sigma = sigmas[i], next = sigmas[i + 1];
    x = run.prepare(x, sigma);
    auto denoised = denoise_at(denoise, x, sigma);
    if (options.clip_denoised) denoised = denoised.clamp(-1, 1);
    run.report(i, steps, sigma, x, denoised);
    const auto noise = run.draw("sample_ddpm", x);
    x = denoised + (next * next / (sigma * sigma)) * (x - denoised);
    if (next > 0) x = x + noise * (options.temperature * ddpm_noise_level(sigma, next, options.v_posterior));
  }
  return x;
}

}  // namespace ldm
