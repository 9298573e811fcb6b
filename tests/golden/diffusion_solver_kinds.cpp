// Samplers beyond the original's and k-diffusion's: DPM-Solver of stable-diffusion, restart, CFG++, flow
// matching.
#include <ATen/ATen.h>

#include <cmath>

#include "ldm/diffusion/cfgpp.h"
#include "ldm/diffusion/dpm_solver.h"
#include "ldm/diffusion/euler.h"
#include "ldm/diffusion/guidance.h"
#include "ldm/diffusion/pure_noise.h"
#include "ldm/diffusion/restart.h"
#include "ldm/diffusion/spacing.h"
#include "tests/golden/analytic.h"
#include "tests/golden/runner.h"

namespace ldm::golden {
namespace {

void expect_states_from_one(Case& c, const std::vector<torch::Tensor>& states) {
  for (size_t i = 0; i < states.size(); ++i) c.expect("x." + std::to_string(i + 1), states[i]);
}

// Levels of stable-diffusion's skip types. For singlestep methods logSNR makes equal outer steps, which are
// split; singlestep_fixed makes steps of one order, as many as fit.
std::vector<double> levels_sd(const Case& c, const NoiseSchedule& schedule) {
  const auto& o = c.config();
  const int64_t order = o.at("order"), n = o.at("S");
  const std::string skip = o.at("skip_type"), method = o.at("method");
  const int64_t calls = method == "singlestep_fixed" ? n / order * order : n;
  if (skip != "logSNR") return sigmas_dpm_time(schedule, skip, calls);
  const double high = schedule.sigma_max(), low = schedule.sigma_min();
  std::vector<int64_t> orders(static_cast<size_t>(n), 1);
  if (method == "singlestep") orders = singlestep_orders(n, order);
  if (method == "singlestep_fixed") orders.assign(static_cast<size_t>(n / order), order);
  const double outer = 1.0 / static_cast<double>(orders.size());
  std::vector<double> out{high};
  for (size_t i = 0; i < orders.size(); ++i) {
    for (int64_t k = 1; k <= orders[i]; ++k) {
      const double part = static_cast<double>(k) / static_cast<double>(orders[i]);
      out.push_back(level_between(high, low, outer * (static_cast<double>(i) + part)));
    }
  }
  return out;
}

DpmSolverOptions options_sd(const Case& c) {
  const auto& o = c.config();
  const std::string method = o.at("method"), type = o.value("solver_type", "dpm_solver");
  if (method != "multistep" && method != "singlestep" && method != "singlestep_fixed") c.skip(method);
  if (type != "dpm_solver" && type != "taylor") c.skip(type);
  const bool lower = method == "multistep" ? o.value("lower_order_final", true) : method == "singlestep";
  return {.order = o.at("order"),
          .form = o.at("predict_x0") ? SolverForm::kData : SolverForm::kNoise,
          .rule = type == "taylor" ? SlopeRule::kExact : SlopeRule::kMidpoint,
          .lower_order_final = lower};
}

void run_sampler_dpmsolver_sd(Case& c) {
  const auto schedule = case_schedule(c);
  const auto options = options_sd(c);
  const auto sigmas = levels_sd(c, schedule);
  std::vector<double> times;
  const Denoiser exact = analytic_denoiser(c);
  const Denoiser denoise = [&](const torch::Tensor& x, const torch::Tensor& sigma) {
    times.push_back(sigma_to_dpm_time(schedule, sigma[0].item<double>()));
    return exact(x, sigma);
  };
  const double first = std::hypot(1.0, sigmas.front()), last = sigmas.back();
  const bool multistep = c.config().at("method") == "multistep";
  const auto solve = multistep ? sample_dpm_solver : sample_dpm_solver_singlestep;
  const auto x = solve(denoise, c.input("x_T") * first, sigmas, {}, options);
  const bool to_zero = c.config().value("denoise_to_zero", false);
  c.expect("x_final", to_zero ? denoise_at(denoise, x, last) : x / std::hypot(1.0, last));
  c.expect("t_calls", vector_f64(times));
}

void run_sampler_restart(Case& c) {
  RestartOptions options;
  options.segments.clear();
  options.s_noise = c.config().value("s_noise", 1.0);
  for (const auto& item : c.config().at("restart_list").items()) {
    const auto& v = item.value();
    options.segments.push_back({std::stod(item.key()), v[2], v[0], v[1]});
  }
  const auto sigmas = host_f64(c.input("sigmas"));
  const auto plan = restart_plan(sigmas, options);
  std::vector<double> from, to;
  for (const auto& step : plan) {
    from.push_back(step.from);
    to.push_back(step.to);
  }
  c.expect("step_from", vector_f64(from));
  c.expect("step_to", vector_f64(to));
  const auto denoise = analytic_denoiser(c);
  std::vector<torch::Tensor> states;  // After 1, 2, ... steps of the plan.
  for (size_t n = 1; n < plan.size(); ++n) {
    SamplerRun run{.noise = case_noise(c)};
    states.push_back(walk_restart_plan(denoise, c.input("x_T"),
                                       {plan.begin(), plan.begin() + static_cast<ptrdiff_t>(n)}, run,
                                       options.s_noise));
  }
  SamplerRun run{.noise = case_noise(c)};
  states.push_back(sample_restart(denoise, c.input("x_T"), sigmas, run, options));
  expect_states_from_one(c, states);
}

void run_sampler_cfgpp(Case& c) {
  const double scale = c.config().at("scale");
  const auto cond = analytic_denoiser(c), uncond = analytic_denoiser(c, "gmm_uncond");
  const GuidedDenoiser denoise = [&](const torch::Tensor& x, const torch::Tensor& sigma) -> GuidedEstimate {
    const auto u = uncond(x, sigma);
    return {combine_guidance(u, cond(x, sigma), scale), u};
  };
  std::vector<torch::Tensor> states;
  SamplerRun run;
  run.before_step = [&](const torch::Tensor& x, double) {
    states.push_back(x);
    return x;
  };
  const auto x = sample_euler_cfgpp(denoise, c.input("x_T"), host_f64(c.input("sigmas")), run);
  states.push_back(x);
  states.erase(states.begin());
  expect_states_from_one(c, states);
}

void run_sampler_flow(Case& c) {
  const auto exact = analytic_denoiser(c);
  auto times = flow_times_diffusers(c.config().at("n"), c.config().at("shift"));
  c.expect("sigmas", vector_f64(times));
  c.expect("timesteps", vector_f64({times.begin(), times.end() - 1}) * 1000);
  const Network velocity = [&](const torch::Tensor& x, const torch::Tensor& t) {
    const double s = t[0].item<double>() / 1000;
    const auto x0 = exact(s == 1 ? x : x / (1 - s), vector_f64({flow_sigma(s)}).expand({x.size(0)}));
    return (x - x0) / s;
  };
  const auto denoise = flow_denoiser(velocity);
  std::vector<double> sigmas;
  for (const double s : times) sigmas.push_back(flow_sigma(s));
  std::vector<torch::Tensor> states;
  SamplerRun run;
  run.before_step = [&](const torch::Tensor& x, double sigma) {
    states.push_back(x / (1 + sigma));
    return x;
  };
  auto x = c.input("x_T");
  if (std::isinf(sigmas[0])) {
    x = step_from_pure_noise(denoise, x, sigmas[1], run);
    sigmas.erase(sigmas.begin());
  } else {
    x = x * (1 + sigmas[0]);
  }
  if (sigmas.size() > 1) x = sample_euler(denoise, x, sigmas, run);
  states.push_back(x);
  if (states.size() > c.config().at("n").get<size_t>()) states.erase(states.begin());
  expect_states_from_one(c, states);
}

void add_solver_kinds(KindTable& kinds) {
  kinds.add("sampler_dpmsolver_sd", run_sampler_dpmsolver_sd);
  kinds.add("sampler_restart", run_sampler_restart);
  kinds.add("sampler_cfgpp", run_sampler_cfgpp);
  kinds.add("sampler_flow", run_sampler_flow);
}
const RegisterKinds kDiffusionSolverRegistered(add_solver_kinds);

}  // namespace
}  // namespace ldm::golden
