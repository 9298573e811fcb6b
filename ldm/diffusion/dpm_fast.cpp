#include "ldm/diffusion/dpm_fast.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>

#include "ldm/core/error.h"
#include "ldm/diffusion/dpm_solver.h"
#include "ldm/diffusion/singlestep.h"

namespace ldm {
AncestralStep ancestral_step_above(double lowest, double from, double to, double eta) {
  const double down = std::max(lowest, ancestral_step(from, to, eta).down);
  return {down, std::sqrt(std::max(to * to - down * down, 0.0))};
}

torch::Tensor sample_dpm_fast(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                              const SamplerRun& run, const DpmFastOptions& o) {
  check_sigmas("sample_dpm_fast", sigmas);
  const double highest = sigmas.front(), lowest = sigmas.back();
  check(lowest > 0, "sample_dpm_fast: expected a last sigma above 0");
  const auto calls = o.calls > 0 ? o.calls : static_cast<int64_t>(sigmas.size()) - 1;
  at::NoGradGuard no_grad;
  const auto orders = singlestep_orders(calls, 3);
  const auto steps = static_cast<int64_t>(orders.size());
  const auto level = [&](int64_t i) {
    return level_between(highest, lowest, static_cast<double>(i) / static_cast<double>(steps));
  };
  for (int64_t i = 0; i < steps && !run.stop.requested(); ++i) {
    const double from = level(i), to = level(i + 1);
    x = run.prepare(x, from);
    const auto [down, up] = ancestral_step_above(lowest, from, to, o.eta);
    SinglestepSolver solver(SolverForm::kNoise, denoise, x, from, down);
    run.report(i, steps, from, x, solver.denoised());
    const auto inner = [&, end = down](double r) { return level_between(from, end, r); };
    if (orders[i] == 1) x = solver.first();
    if (orders[i] == 2) x = solver.second(inner(0.5));
    if (orders[i] == 3) x = solver.third(inner(1.0 / 3), inner(2.0 / 3));
    if (o.eta > 0) x = x + run.draw("sample_dpm_fast", x) * (o.s_noise * up);
  }
  return x;
}

}  // namespace ldm
