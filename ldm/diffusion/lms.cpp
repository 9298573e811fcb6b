#include "ldm/diffusion/lms.h"

#include <ATen/core/grad_mode.h>

#include "ldm/core/error.h"
#include "ldm/diffusion/exponential_step.h"
#include "ldm/diffusion/lagrange.h"

namespace ldm {

torch::Tensor sample_lms(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                         const SamplerRun& run, int64_t order) {
  check_sigmas("sample_lms", sigmas);
  check(order >= 1 && order <= 4, "sample_lms: expected an order of 1 to 4, got ", order);
  at::NoGradGuard no_grad;
  const auto steps = static_cast<int64_t>(sigmas.size()) - 1;
  ModelHistory history(order);
  for (int64_t i = 0; i < steps && !run.stop.requested(); ++i) {
    const double sigma = sigmas[i];
    x = run.prepare(x, sigma);
    const auto denoised = denoise_at(denoise, x, sigma);
    run.report(i, steps, sigma, x, denoised);
    history.push((x - denoised) / sigma, sigma);
    std::vector<double> nodes;
    for (int64_t k = 0; k < history.size(); ++k) nodes.push_back(history.sigma(k));
    x = x + history.combine(lagrange_weights(nodes, sigma, sigmas[i + 1], [](double) { return 1.0; }));
  }
  return x;
}

}  // namespace ldm
