#include "ldm/diffusion/dpmpp_2s_a.h"

#include <ATen/core/grad_mode.h>

#include "ldm/diffusion/singlestep.h"

namespace ldm {

torch::Tensor sample_dpmpp_2s_a(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                                const SamplerRun& run, const DpmppSdeOptions& options) {
  check_sigmas("sample_dpmpp_2s_a", sigmas);
  at::NoGradGuard no_grad;
  const auto steps = static_cast<int64_t>(sigmas.size()) - 1;
  for (int64_t i = 0; i < steps && !run.stop.requested(); ++i) {
    const double sigma = sigmas[i], next = sigmas[i + 1];
    x = run.prepare(x, sigma);
    const auto [down, up] = ancestral_step(sigma, next, options.eta);
    SinglestepSolver solver(SolverForm::kData, denoise, x, sigma, down);
    run.report(i, steps, sigma, x, solver.denoised());
    x = down == 0 ? solver.first() : solver.second(level_between(sigma, down, 0.5));
    if (options.eta > 0 && next > 0)
      x = x + run.draw_between("sample_dpmpp_2s_a", x, sigma, next) * (options.s_noise * up);
  }
  return x;
}

}  // namespace ldm
