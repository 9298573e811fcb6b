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
    const double next = sigmas[i + 1];
    const auto denoised = denoise_at(denoise, x, sigma);
    run.report(i, steps, sigma, x, denoised);

    // Predict with the slope at sigma.
    const auto slope = (x - denoised) / sigma;
    const auto predicted = x + (next - sigma) * slope;
    if (next == 0) {
      x = predicted;
      continue;
    }

    // Trapezoid step with the slopes at both ends.
    const auto slope_next = (predicted - denoise_at(denoise, predicted, next)) / next;
    x = x + (next - sigma) * 0.5 * (slope + slope_next);
  }
  return x;
}

}  // namespace ldm
