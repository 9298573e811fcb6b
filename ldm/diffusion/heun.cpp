#include "ldm/diffusion/heun.h"

#include <ATen/core/grad_mode.h>

namespace ldm {

torch::Tensor sample_heun(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                          const SamplerRun& run, const ChurnOptions& options) {
  check_sigmas("sample_heun", sigmas);
  at::NoGradGuard no_grad;
  const auto steps = static_cast<int64_t>(sigmas.size()) - 1;
  for (int64_t i = 0; i < steps && !run.stop.requested(); ++i) {
    x = run.prepare(x, sigmas[i]);
    const double sigma = churn("sample_heun", x, sigmas[i], steps, options, run);
    const auto denoised = denoise_at(denoise, x, sigma);
    run.report(i, steps, sigma, x, denoised);
    x = heun_step(denoise, x, denoised, sigma, sigmas[i + 1]);
  }
  return x;
}

torch::Tensor heun_step(const Denoiser& denoise, const torch::Tensor& x, const torch::Tensor& denoised,
                        double from, double to) {
  if (to == 0) return denoised;
  const auto predicted = euler_step(x, denoised, from, to);
  const auto slope = (x - denoised) / from;
  const auto slope_there = (predicted - denoise_at(denoise, predicted, to)) / to;
  return x + (to - from) * 0.5 * (slope + slope_there);
}

}  // namespace ldm
