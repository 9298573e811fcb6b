#include "ldm/diffusion/deis.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>

#include "ldm/core/error.h"
#include "ldm/diffusion/exponential_step.h"
#include "ldm/diffusion/lagrange.h"

namespace ldm {

torch::Tensor sample_deis(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                          const SamplerRun& run, const DeisOptions& options) {
  check_sigmas("sample_deis", sigmas);
  check(options.order >= 1 && options.order <= 4, "sample_deis: expected an order of 1 to 4, got ",
        options.order);
  at::NoGradGuard no_grad;
  const auto steps = static_cast<int64_t>(sigmas.size()) - 1;
  ModelHistory history(options.order);
  for (int64_t i = 0; i < steps && !run.stop.requested(); ++i) {
    const double sigma = sigmas[i], next = sigmas[i + 1];
    x = run.prepare(x, sigma);
    const auto denoised = denoise_at(denoise, x, sigma);
    run.report(i, steps, sigma, x, denoised);
    history.push((x - denoised) / sigma, sigma);
    if (next == 0) {
      x = denoised;
      continue;
    }
    const bool lower = options.lower_order_final && steps < 15;
    const int64_t order = lower ? std::min(history.size(), steps - i) : history.size();
    std::vector<double> nodes;
    for (int64_t k = 0; k < order; ++k) nodes.push_back(std::log(history.sigma(k)));
    // The integral over sigma is one over log sigma with density sigma.
    x = x + history.combine(lagrange_weights(nodes, std::log(sigma), std::log(next),
                                             [](double log_sigma) { return std::exp(log_sigma); }));
  }
  return x;
}

}  // namespace ldm
