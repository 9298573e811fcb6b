#include "ldm/diffusion/dpmpp_2m.h"

#include <ATen/core/grad_mode.h>

#include <cmath>

namespace ldm {

torch::Tensor sample_dpmpp_2m(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                              const SamplerRun& run) {
  check_sigmas("sample_dpmpp_2m", sigmas);
  at::NoGradGuard no_grad;
  const auto steps = static_cast<int64_t>(sigmas.size()) - 1;
  torch::Tensor old;   // D of the step before.
  double h_old = 0.0;  // Its length in lambda = -log sigma.
  for (int64_t i = 0; i < steps && !run.stop.requested(); ++i) {
    x = run.prepare(x, sigmas[i]);
    const auto denoised = denoise_at(denoise, x, sigmas[i]);
    run.report(i, steps, sigmas[i], x, denoised);
    const double ratio = sigmas[i + 1] / sigmas[i];  // exp(-h)
    const double h = -std::log(ratio);               // Infinite for a step to 0.
    const bool second_order = h_old > 0 && sigmas[i + 1] > 0;
    const auto d = second_order ? denoised + (h / (2 * h_old)) * (denoised - old) : denoised;
    x = ratio * x + (1 - ratio) * d;
    old = denoised;
    h_old = h;
  }
  return x;
}

}  // namespace ldm
