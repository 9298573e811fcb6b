#include "ldm/diffusion/dpmpp_sde.h"

#include <ATen/core/grad_mode.h>

#include "ldm/core/error.h"

namespace ldm {

torch::Tensor sample_dpmpp_sde(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                               const SamplerRun& run, const DpmppSdeOptions& options, double r) {
  check_sigmas("sample_dpmpp_sde", sigmas);
  check(r > 0 && r <= 1, "sample_dpmpp_sde: expected r in (0, 1], got ", r);
  at::NoGradGuard no_grad;
  const auto steps = static_cast<int64_t>(sigmas.size()) - 1;
  // An Euler step is the exponential integrator's first-order step.
  const auto ancestral = [&](const torch::Tensor& denoised, double from, double to) {
    const auto [down, up] = ancestral_step(from, to, options.eta);
    const auto out = euler_step(x, denoised, from, down);
    if (options.eta == 0) return out;
    return out + run.draw_between("sample_dpmpp_sde", x, from, to) * (options.s_noise * up);
  };
  for (int64_t i = 0; i < steps && !run.stop.requested(); ++i) {
    const double sigma = sigmas[i], next = sigmas[i + 1];
    x = run.prepare(x, sigma);
    const auto denoised = denoise_at(denoise, x, sigma);
    run.report(i, steps, sigma, x, denoised);
    if (next == 0) {
      x = denoised;
      continue;
    }
    const double middle = level_between(sigma, next, r);
    const auto denoised_middle = denoise_at(denoise, ancestral(denoised, sigma, middle), middle);
    const double weight = 1 / (2 * r);
    x = ancestral((1 - weight) * denoised + weight * denoised_middle, sigma, next);
  }
  return x;
}

}  // namespace ldm
