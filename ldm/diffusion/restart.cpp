#include "ldm/diffusion/restart.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "ldm/core/error.h"
#include "ldm/diffusion/heun.h"
#include "ldm/diffusion/sigma_tables.h"

namespace ldm {
namespace {

// Index of the level nearest to `wanted`; the final 0 does not count.
size_t restart_nearest(const std::vector<double>& sigmas, double wanted) {
  const size_t n = sigmas.size() - (sigmas.back() == 0 ? 1 : 0);
  size_t best = 0;
  for (size_t i = 1; i < n; ++i) {
    if (std::abs(sigmas[i] - wanted) < std::abs(sigmas[best] - wanted)) best = i;
  }
  return best;
}

// The steps of one way down a segment.
std::vector<RestartStep> restart_descent(double max, double min, int64_t steps, double rho) {
  const auto levels = sigmas_karras(steps, min, max, rho);
  std::vector<RestartStep> out;
  for (size_t i = 0; i + 2 < levels.size(); ++i) out.push_back({levels[i], levels[i + 1]});
  return out;
}

}  // namespace

std::vector<RestartStep> restart_plan(const std::vector<double>& sigmas, const RestartOptions& options) {
  std::map<size_t, const RestartSegment*> starts;
  for (const auto& segment : options.segments) {
    check(segment.min > 0 && segment.max > segment.min && segment.steps >= 2 && segment.times >= 0,
          "restart: expected 0 < min < max, at least 2 steps and no negative times, got ", segment.min,
          " to ", segment.max, ", ", segment.steps, " steps, ", segment.times, " times");
    starts[restart_nearest(sigmas, segment.min)] = &segment;
  }
  std::vector<RestartStep> plan;
  for (size_t i = 0; i + 1 < sigmas.size(); ++i) {
    plan.push_back({sigmas[i], sigmas[i + 1]});
    const auto found = starts.find(i + 1);
    if (found == starts.end()) continue;
    const auto& segment = *found->second;
    const size_t top = restart_nearest(sigmas, segment.max);
    if (top >= i + 1) continue;  // The levels are too coarse for a way up.
    const auto descent = restart_descent(sigmas[top], sigmas[i + 1], segment.steps, options.rho);
    for (int64_t k = 0; k < segment.times; ++k) plan.insert(plan.end(), descent.begin(), descent.end());
  }
  return plan;
}

torch::Tensor walk_restart_plan(const Denoiser& denoise, torch::Tensor x,
                                const std::vector<RestartStep>& plan, const SamplerRun& run, double s_noise) {
  at::NoGradGuard no_grad;
  const auto steps = static_cast<int64_t>(plan.size());
  for (int64_t i = 0; i < steps && !run.stop.requested(); ++i) {
    const auto [from, to] = plan[static_cast<size_t>(i)];
    const double reached = i > 0 ? plan[static_cast<size_t>(i) - 1].to : from;
    if (from > reached) {
      x = x + run.draw("sample_restart", x) * (s_noise * std::sqrt(from * from - reached * reached));
    }
    x = run.prepare(x, from);
    const auto denoised = denoise_at(denoise, x, from);
    run.report(i, steps, from, x, denoised);
    x = heun_step(denoise, x, denoised, from, to);
  }
  return x;
}

torch::Tensor sample_restart(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                             const SamplerRun& run, const RestartOptions& options) {
  check_sigmas("sample_restart", sigmas);
  return walk_restart_plan(denoise, std::move(x), restart_plan(sigmas, options), run, options.s_noise);
}

}  // namespace ldm
