#include "ldm/diffusion/lcm.h"

#include <ATen/ATen.h>

#include <cmath>
#include <utility>

#include "ldm/diffusion/parameterization.h"

namespace ldm {

torch::Tensor sample_lcm(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                         const SamplerRun& run, double s_noise) {
  check_sigmas("sample_lcm", sigmas);
  at::NoGradGuard no_grad;
  const auto steps = static_cast<int64_t>(sigmas.size()) - 1;
  for (int64_t i = 0; i < steps && !run.stop.requested(); ++i) {
    x = run.prepare(x, sigmas[i]);
    const auto denoised = denoise_at(denoise, x, sigmas[i]);
    run.report(i, steps, sigmas[i], x, denoised);
    x = denoised;
    if (sigmas[i + 1] > 0) x = x + run.draw("sample_lcm", x) * (s_noise * sigmas[i + 1]);
  }
  return x;
}

Denoiser lcm_denoiser(Denoiser denoise, const NoiseSchedule& schedule, double time_scaling,
                      double sigma_data) {
  return [denoise = std::move(denoise), schedule, time_scaling, sigma_data](const torch::Tensor& x,
                                                                            const torch::Tensor& sigma) {
    auto skip = at::empty_like(sigma), out = at::empty_like(sigma);
    for (int64_t i = 0; i < sigma.size(0); ++i) {
      const double level = sigma[i].item<double>();
      const double s = time_scaling * schedule.sigma_to_t(level);
      const double total = s * s + sigma_data * sigma_data;
      const double norm = std::isinf(level) ? 1.0 : std::sqrt(1 + level * level);
      skip[i] = sigma_data * sigma_data / total / norm;
      out[i] = s / std::sqrt(total);
    }
    return per_sample(skip, x) * x + per_sample(out, x) * denoise(x, sigma);
  };
}

}  // namespace ldm
