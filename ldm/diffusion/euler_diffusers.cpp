#include "ldm/diffusion/euler_diffusers.h"

#include <ATen/core/grad_mode.h>

namespace ldm {

torch::Tensor sample_euler_diffusers(const Denoiser& denoise, torch::Tensor x,
                                     const std::vector<double>& sigmas, const SamplerRun& run,
                                     const ChurnOptions& options, const OutputScaling& scaling,
                                     bool before_churn) {
  check_sigmas("sample_euler_diffusers", sigmas);
  at::NoGradGuard no_grad;
  ChurnOptions churn_options = options;
  churn_options.draw_when_needed = true;
  const auto steps = static_cast<int64_t>(sigmas.size()) - 1;
  for (int64_t i = 0; i < steps && !run.stop.requested(); ++i) {
    const double sigma = sigmas[i];
    x = run.prepare(x, sigma);
    auto denoised = denoise_at(denoise, x, sigma);
    run.report(i, steps, sigma, x, denoised);
    const auto asked = x;
    const double raised = churn("sample_euler_diffusers", x, sigma, steps, churn_options, run);
    if (raised > sigma) {
      const auto output = scaling.output(asked, denoised, sigma);
      denoised = scaling.denoised(x, output, before_churn ? sigma : raised);
    }
    x = euler_step(x, denoised, raised, sigmas[i + 1]);
  }
  return x;
}

}  // namespace ldm
