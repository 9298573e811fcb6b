#include "ldm/diffusion/cfgpp.h"

#include <ATen/core/grad_mode.h>

#include <cmath>

namespace ldm {

torch::Tensor sample_euler_a_cfgpp(const GuidedDenoiser& denoise, torch::Tensor x,
                                   const std::vector<double>& sigmas, const SamplerRun& run,
                                   const EulerAncestralOptions& options) {
  check_sigmas("sample_euler_a_cfgpp", sigmas);
  at::NoGradGuard no_grad;
  const auto steps = static_cast<int64_t>(sigmas.size()) - 1;
  for (int64_t i = 0; i < steps && !run.stop.requested(); ++i) {
    const double sigma = sigmas[i], next = sigmas[i + 1];
    x = run.prepare(x, sigma);
    const auto [denoised, uncond] = denoise_at(denoise, x, sigma);
    run.report(i, steps, sigma, x, denoised);
    const auto [down, up] = ancestral_step(sigma, next, options.eta);
    x = denoised + (down / sigma) * (x - uncond);
    if (options.eta > 0 && next > 0) x = x + run.draw("sample_euler_a_cfgpp", x) * (options.s_noise * up);
  }
  return x;
}

torch::Tensor sample_euler_cfgpp(const GuidedDenoiser& denoise, torch::Tensor x,
                                 const std::vector<double>& sigmas, const SamplerRun& run) {
  return sample_euler_a_cfgpp(denoise, std::move(x), sigmas, run, {.eta = 0.0});
}

torch::Tensor sample_dpmpp_2m_cfgpp(const GuidedDenoiser& denoise, torch::Tensor x,
                                    const std::vector<double>& sigmas, const SamplerRun& run) {
  check_sigmas("sample_dpmpp_2m_cfgpp", sigmas);
  at::NoGradGuard no_grad;
  const auto steps = static_cast<int64_t>(sigmas.size()) - 1;
  torch::Tensor old_uncond;
  double h_old = 0.0;
  for (int64_t i = 0; i < steps && !run.stop.requested(); ++i) {
    const double sigma = sigmas[i], next = sigmas[i + 1];
    x = run.prepare(x, sigma);
    const auto [denoised, uncond] = denoise_at(denoise, x, sigma);
    run.report(i, steps, sigma, x, denoised);
    const double ratio = next / sigma, h = -std::log(ratio);
    x = denoised + ratio * (x - uncond);
    if (next > 0 && h_old > 0) x = x + ((1 - ratio) * h / (2 * h_old)) * (denoised - old_uncond);
    old_uncond = uncond;
    h_old = h;
  }
  return x;
}

}  // namespace ldm
