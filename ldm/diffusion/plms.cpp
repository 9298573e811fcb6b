#include "ldm/diffusion/plms.h"

#include <ATen/core/grad_mode.h>

#include <cmath>

#include "ldm/diffusion/exponential_step.h"
#include "ldm/diffusion/lagrange.h"

namespace ldm {

torch::Tensor sample_plms(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                          const SamplerRun& run) {
  check_sigmas("sample_plms", sigmas);
  at::NoGradGuard no_grad;
  const auto steps = static_cast<int64_t>(sigmas.size()) - 1;
  const auto eps_at = [&](const torch::Tensor& at, double sigma) {
    return (at - denoise_at(denoise, at, sigma)) / sigma;
  };
  ModelHistory history(4);
  for (int64_t i = 0; i < steps && !run.stop.requested(); ++i) {
    const double sigma = sigmas[i], next = sigmas[i + 1];
    x = run.prepare(x, sigma);
    history.push(eps_at(x, sigma), sigma);
    torch::Tensor eps;
    if (i > 0) {
      eps = history.combine(adams_bashforth_weights(static_cast<size_t>(history.size())));
    } else if (next == 0) {
      eps = history.value(0);  // There is nothing to ask at level 0.
    } else {
      // Improved Euler: the mean of the estimates at both ends. With a single step there is no second level
      // to ask at; the original asks at the first one again, with the variance-preserving state of the
      // second.
      const double second = steps > 1 ? next : sigma;
      const double rescale = std::sqrt((1 + second * second) / (1 + next * next));
      eps = (history.value(0) + eps_at((x + (next - sigma) * history.value(0)) * rescale, second)) / 2;
    }
    const auto denoised = x - sigma * eps;
    run.report(i, steps, sigma, x, denoised);
    x = denoised + next * eps;
  }
  return x;
}

}  // namespace ldm
