#include "ldm/diffusion/plms.h"

#include <ATen/core/grad_mode.h>

#include <cmath>
#include <deque>

namespace ldm {
namespace {

// Adams-Bashforth with the newest estimate in front; as many as there are, four at most.
torch::Tensor extrapolate(const std::deque<torch::Tensor>& e) {
  switch (e.size()) {
    case 2:
      return (3 * e[0] - e[1]) / 2;
    case 3:
      return (23 * e[0] - 16 * e[1] + 5 * e[2]) / 12;
    default:
      return (55 * e[0] - 59 * e[1] + 37 * e[2] - 9 * e[3]) / 24;
  }
}

}  // namespace

torch::Tensor sample_plms(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                          const SamplerRun& run) {
  check_sigmas("sample_plms", sigmas);
  at::NoGradGuard no_grad;
  const auto steps = static_cast<int64_t>(sigmas.size()) - 1;
  const auto eps_at = [&](const torch::Tensor& at, double sigma) {
    return (at - denoise_at(denoise, at, sigma)) / sigma;
  };
  std::deque<torch::Tensor> history;
  for (int64_t i = 0; i < steps && !run.stop.requested(); ++i) {
    const double sigma = sigmas[i], next = sigmas[i + 1];
    x = run.prepare(x, sigma);
    history.push_front(eps_at(x, sigma));
    if (history.size() > 4) history.pop_back();
    torch::Tensor eps;
    if (i > 0) {
      eps = extrapolate(history);
    } else {
      // Improved Euler: the mean of the estimates at both ends. With a single step there is no second level
      // to ask at; the original asks at the first one again, with the variance-preserving state of the
      // second.
      const double second = steps > 1 ? next : sigma;
      const double rescale = std::sqrt((1 + second * second) / (1 + next * next));
      eps = (history[0] + eps_at((x + (next - sigma) * history[0]) * rescale, second)) / 2;
    }
    const auto denoised = x - sigma * eps;
    run.report(i, steps, sigma, x, denoised);
    x = denoised + next * eps;
  }
  return x;
}

}  // namespace ldm
