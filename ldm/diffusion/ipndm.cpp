#include "ldm/diffusion/ipndm.h"

#include <ATen/core/grad_mode.h>

#include "ldm/core/error.h"
#include "ldm/diffusion/exponential_step.h"
#include "ldm/diffusion/lagrange.h"

namespace ldm {

torch::Tensor sample_ipndm(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                           const SamplerRun& run, int64_t order) {
  check_sigmas("sample_ipndm", sigmas);
  check(order >= 1 && order <= 4, "sample_ipndm: expected an order of 1 to 4, got ", order);
  at::NoGradGuard no_grad;
  const auto steps = static_cast<int64_t>(sigmas.size()) - 1;
  ModelHistory history(order);
  for (int64_t i = 0; i < steps && !run.stop.requested(); ++i) {
    const double sigma = sigmas[i], next = sigmas[i + 1];
    x = run.prepare(x, sigma);
    const auto denoised = denoise_at(denoise, x, sigma);
    run.report(i, steps, sigma, x, denoised);
    history.push((x - denoised) / sigma, sigma);
    const auto& weights = adams_bashforth_weights(static_cast<size_t>(history.size()));
    x = next == 0 ? denoised : x + (next - sigma) * history.combine(weights);
  }
  return x;
}

}  // namespace ldm
