#include "ldm/diffusion/dpm2.h"

#include <ATen/core/grad_mode.h>

#include <cmath>

namespace ldm {

torch::Tensor sample_dpm2(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                          const SamplerRun& run, const ChurnOptions& options) {
  check_sigmas("sample_dpm2", sigmas);
  at::NoGradGuard no_grad;
  const auto steps = static_cast<int64_t>(sigmas.size()) - 1;
  for (int64_t i = 0; i < steps && !run.stop.requested(); ++i) {
    x = run.prepare(x, sigmas[i]);
    const double sigma = churn("sample_dpm2", x, sigmas[i], steps, options, run);
    const auto denoised = denoise_at(denoise, x, sigma);
    run.report(i, steps, sigma, x, denoised);
    x = midpoint_step(denoise, x, denoised, sigma, sigmas[i + 1]);
  }
  return x;
}

torch::Tensor midpoint_step(const Denoiser& denoise, const torch::Tensor& x, const torch::Tensor& denoised,
                            double from, double to) {
  if (to == 0) return denoised;
  const double middle = std::sqrt(from * to);
  const auto x_middle = euler_step(x, denoised, from, middle);
  const auto slope = (x_middle - denoise_at(denoise, x_middle, middle)) / middle;
  return x + (to - from) * slope;
}

}  // namespace ldm
