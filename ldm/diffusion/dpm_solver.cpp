#include "ldm/diffusion/dpm_solver.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "ldm/core/error.h"
#include "ldm/diffusion/singlestep.h"

namespace ldm {
namespace {

void check_order(const char* who, int64_t order) {
  check(order >= 1 && order <= 3, who, ": expected an order of 1 to 3, got ", order);
}

// Order of step i of n when `known` values are there.
int64_t multistep_order(const DpmSolverOptions& o, int64_t i, int64_t n, int64_t known) {
  const bool lower = o.lower_order_final && n < 15;
  const int64_t left = n - i;
  int64_t order = std::min(o.order, known);
  if (left == 1 && (lower || o.euler_at_final)) order = 1;
  if (left == 2 && lower) order = std::min<int64_t>(order, 2);
  return order;
}

}  // namespace

torch::Tensor sample_dpm_solver(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                                const SamplerRun& run, const DpmSolverOptions& o) {
  check_sigmas("sample_dpm_solver", sigmas);
  check_order("sample_dpm_solver", o.order);
  at::NoGradGuard no_grad;
  const auto steps = static_cast<int64_t>(sigmas.size()) - 1;
  ModelHistory history(o.order);
  for (int64_t i = 0; i < steps && !run.stop.requested(); ++i) {
    const double sigma = sigmas[i], next = sigmas[i + 1];
    x = run.prepare(x, sigma);
    const auto denoised = denoise_at(denoise, x, sigma);
    run.report(i, steps, sigma, x, denoised);
    history.push(model_value(o.form, x, denoised, sigma), sigma);
    const int64_t order = next == 0 ? 1 : multistep_order(o, i, steps, history.size());
    const auto p = history.polynomial(order, next);
    x = exponential_step(o.form, x, p, sigma, next, o.rule, o.eta);
    if (o.diffusers_third_order && p.second.defined()) x = x - p.second;
    if (o.eta > 0 && next > 0) {
      const double level = o.s_noise * sde_noise_level(o.form, sigma, next, o.eta);
      x = x + run.draw_between("sample_dpm_solver", x, sigma, next) * level;
    }
  }
  return x;
}

std::vector<int64_t> singlestep_orders(int64_t calls, int64_t order, bool lower_final) {
  check_order("singlestep_orders", order);
  check(calls >= 1, "singlestep_orders: expected at least 1 model call, got ", calls);
  std::vector<int64_t> out;
  if (order == 3 && calls % 3 == 0 && lower_final) {
    out.assign(static_cast<size_t>(calls / 3 - 1), 3);
    out.insert(out.end(), {2, 1});
    return out;
  }
  out.assign(static_cast<size_t>(calls / order), order);
  if (calls % order != 0) out.push_back(calls % order);
  return out;
}

torch::Tensor sample_dpm_solver_singlestep(const Denoiser& denoise, torch::Tensor x,
                                           const std::vector<double>& sigmas, const SamplerRun& run,
                                           const DpmSolverOptions& o) {
  check_sigmas("sample_dpm_solver_singlestep", sigmas);
  at::NoGradGuard no_grad;
  const bool to_zero = sigmas.back() == 0;
  const auto calls = static_cast<int64_t>(sigmas.size()) - 1;
  auto orders = singlestep_orders(calls > 1 && to_zero ? calls - 1 : calls, o.order, o.lower_order_final);
  if (calls > 1 && to_zero) orders.push_back(1);
  const auto steps = static_cast<int64_t>(orders.size());
  const double* level = sigmas.data();
  for (int64_t i = 0; i < steps && !run.stop.requested(); level += orders[i++]) {
    x = run.prepare(x, *level);
    SinglestepSolver solver(o.form, denoise, x, level[0], level[orders[i]]);
    run.report(i, steps, *level, x, solver.denoised());
    if (orders[i] == 1) x = solver.first();
    if (orders[i] == 2) x = solver.second(level[1], o.rule);
    if (orders[i] == 3) x = solver.third(level[1], level[2], o.rule);
  }
  return x;
}

}  // namespace ldm
