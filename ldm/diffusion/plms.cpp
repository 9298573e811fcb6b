#include "ldm/diffusion/plms.h"

#include <ATen/core/grad_mode.h>

#include <cmath>

#include "ldm/diffusion/exponential_step.h"
#include "ldm/diffusion/lagrange.h"

namespace ldm {

torch::Tensor sample_plms(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                          const SamplerRun& run, const OutputScaling& outputs) {
  check_sigmas("sample_plms", sigmas);
  at::NoGradGuard no_grad;
  const auto steps = static_cast<int64_t>(sigmas.size()) - 1;
  const auto output_at = [&](const torch::Tensor& at, double sigma) {
    return outputs.output(at, denoise_at(denoise, at, sigma), sigma);
  };
  ModelHistory history(4);
  for (int64_t i = 0; i < steps && !run.stop.requested(); ++i) {
    const double sigma = sigmas[i], next = sigmas[i + 1];
    x = run.prepare(x, sigma);
    history.push(output_at(x, sigma), sigma);
    torch::Tensor output;
    if (i > 0) {
      output = history.combine(adams_bashforth_weights(static_cast<size_t>(history.size())));
    } else if (next == 0) {
      output = history.value(0);  // There is nothing to ask at level 0.
    } else {
      // Improved Euler: the mean of the estimates at both ends. With a single step there is no second level
      // to ask at; the original asks at the first one again, with the variance-preserving state of the
      // second.
      const double second = steps > 1 ? next : sigma;
      const double rescale = std::sqrt((1 + second * second) / (1 + next * next));
      const auto there = euler_step(x, outputs.denoised(x, history.value(0), sigma), sigma, next);
      output = (history.value(0) + output_at(there * rescale, second)) / 2;
    }
    const auto denoised = outputs.denoised(x, output, sigma);
    run.report(i, steps, sigma, x, denoised);
    x = euler_step(x, denoised, sigma, next);
  }
  return x;
}

}  // namespace ldm
