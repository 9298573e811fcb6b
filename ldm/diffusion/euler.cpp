#include "ldm/diffusion/euler.h"

#include <ATen/core/grad_mode.h>

namespace ldm {

torch::Tensor sample_euler(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                           const SamplerRun& run, const ChurnOptions& options) {
  check_sigmas("sample_euler", sigmas);
  at::NoGradGuard no_grad;
  const auto steps = static_cast<int64_t>(sigmas.size()) - 1;
  for (int64_t i = 0; i < steps && !run.stop.requested(); ++i) {
    x = run.prepare(x, sigmas[i]);
    const double sigma = churn("sample_euler", x, sigmas[i], steps, options, run);
    const auto denoised = denoise_at(denoise, x, sigma);
    run.report(i, steps, sigma, x, denoised);
    x = euler_step(x, denoised, sigma, sigmas[i + 1]);
  }
  return x;
}

}  // namespace ldm
