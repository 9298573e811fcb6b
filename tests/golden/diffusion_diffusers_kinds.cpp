// Schedulers of diffusers, where our samplers express them.
#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "ldm/diffusion/samplers.h"
#include "ldm/diffusion/spacing.h"
#include "tests/golden/analytic.h"
#include "tests/golden/runner.h"

namespace ldm::golden {
namespace {

double alpha_norm(double sigma) { return std::sqrt(1 + sigma * sigma); }

std::string class_of(const Case& c) { return c.config().at("class"); }

// Skips values of a scheduler's configuration that we do not express.
void skip_unless(const Case& c, bool expressible, const char* what) {
  if (!expressible) c.skip(class_of(c) + "/" + what);
}

void expect_states(Case& c, const std::vector<torch::Tensor>& states) {
  for (size_t i = 1; i < states.size(); ++i) c.expect("x." + std::to_string(i), states[i]);
}

Denoiser denoiser_of(Case& c, const NoiseSchedule& schedule) {
  return case_denoiser(c, schedule, parse_prediction(c.config().value("prediction_type", "epsilon")));
}

// DDIM and DDPM: every step goes from t to t - T / n, which is not always the next entry of the list.
void run_step_by_step(Case& c, const char* sampler, const SampleOptions& options, double final_sigma) {
  const auto schedule = case_schedule(c);
  const int64_t n = c.config().at("n"), stride = schedule.timesteps() / n;
  const auto spacing = c.config().value("timestep_spacing", "leading");
  const auto timesteps =
      timesteps_diffusers(spacing, n, schedule.timesteps(), c.config().value("steps_offset", 0));
  c.expect("timesteps", vector_i64(timesteps).to(c.stored("timesteps").scalar_type()));
  const auto denoise = denoiser_of(c, schedule);
  SamplerRun run;
  run.noise = case_noise(c);
  std::vector<torch::Tensor> states{c.input("x_T")};
  for (const int64_t t : timesteps) {
    const double from = schedule.sigma(t), to = t >= stride ? schedule.sigma(t - stride) : final_sigma;
    const auto x =
        find_sampler(sampler).run(denoise, states.back() * alpha_norm(from), {from, to}, run, options);
    states.push_back(x / alpha_norm(to));
  }
  expect_states(c, states);
}

void run_ddim_scheduler(Case& c) {
  skip_unless(c, !c.config().value("clip_sample", true), "clip_sample");
  SampleOptions options;
  options.eta = c.config()["step"].value("eta", 0.0);
  const bool to_one = c.config().value("set_alpha_to_one", true);
  run_step_by_step(c, "ddim", options, to_one ? 0.0 : case_schedule(c).sigma_min());
}

void run_ddpm_scheduler(Case& c) {
  const auto variance = c.config().value("variance_type", "fixed_small");
  skip_unless(c, variance == "fixed_small" || variance == "fixed_large", "variance_type");
  SampleOptions options;
  options.clip_denoised = c.config().value("clip_sample", true);
  options.v_posterior = variance == "fixed_large" ? 1.0 : 0.0;
  run_step_by_step(c, "ddpm", options, 0.0);
}

struct Levels {
  std::vector<double> timesteps, sigmas;
};

// The classes that walk down sigmas: Euler keeps fractional timesteps, DPM-Solver rounds them.
Levels levels_of(const Case& c, const NoiseSchedule& s, bool euler) {
  const int64_t n = c.config().at("n");
  const auto spacing = c.config().value("timestep_spacing", "linspace");
  skip_unless(c, spacing != "leading", "leading");
  const double last = static_cast<double>(s.timesteps() - 1);
  Levels out;
  for (int64_t i = 0; i < n; ++i) {
    const int64_t gaps = euler ? std::max<int64_t>(n - 1, 1) : n;
    const double t = static_cast<double>(gaps - i) * (last / static_cast<double>(gaps));
    out.timesteps.push_back(euler ? t : std::nearbyint(t));
  }
  if (spacing == "trailing") {
    const auto t = timesteps_diffusers("trailing", n, s.timesteps());
    out.timesteps.assign(t.begin(), t.end());
  }
  const bool karras = c.config().value("use_karras_sigmas", false);
  if (karras || c.config().value("use_lu_lambdas", false)) {
    out.sigmas = karras ? sigmas_karras(n, s.sigma_min(), s.sigma_max())
                        : sigmas_exponential(n, s.sigma_min(), s.sigma_max());
    for (size_t i = 0; i < out.timesteps.size(); ++i) {
      const double t = s.sigma_to_t(out.sigmas[i]);
      out.timesteps[i] = euler ? t : std::nearbyint(t);
    }
    return out;
  }
  // The table, interpolated linearly in sigma itself.
  for (const double t : out.timesteps) {
    const auto low = static_cast<int64_t>(std::min(std::floor(t), last - 1));
    const double w = t - static_cast<double>(low);
    out.sigmas.push_back((1 - w) * s.sigma(low) + w * s.sigma(low + 1));
  }
  out.sigmas.push_back(0.0);
  return out;
}

void run_down_sigmas(Case& c, const char* sampler, bool euler) {
  const auto schedule = case_schedule(c);
  const auto levels = levels_of(c, schedule, euler);
  c.expect("timesteps", vector_f64(levels.timesteps).to(c.stored("timesteps").scalar_type()));
  c.expect("sigmas", vector_f64(levels.sigmas));
  // Euler keeps the state as we do; DPM-Solver's is variance preserving.
  const auto scale = [euler](double sigma) { return euler ? 1.0 : alpha_norm(sigma); };
  std::vector<torch::Tensor> states;
  SamplerRun run;
  run.noise = case_noise(c);
  run.before_step = [&](const torch::Tensor& x, double sigma) {
    states.push_back(x / scale(sigma));
    return x;
  };
  const auto x = c.input("x_T") * scale(levels.sigmas[0]);
  states.push_back(find_sampler(sampler).run(denoiser_of(c, schedule), x, levels.sigmas, run, {}));
  expect_states(c, states);
}

void run_dpm_solver(Case& c) {
  const auto& o = c.config();
  skip_unless(c, o.value("algorithm_type", "dpmsolver++") == "dpmsolver++", "algorithm_type");
  skip_unless(c, o.value("solver_order", 2) == 2, "solver_order");
  skip_unless(c, o.value("solver_type", "midpoint") == "midpoint", "solver_type");
  skip_unless(c, o.value("final_sigmas_type", "zero") == "zero", "final_sigmas_type");
  run_down_sigmas(c, "dpmpp_2m", false);
}

void run_sampler_diffusers(Case& c) {
  const auto name = class_of(c);
  if (name == "DDIMScheduler") return run_ddim_scheduler(c);
  if (name == "DDPMScheduler") return run_ddpm_scheduler(c);
  if (name == "DPMSolverMultistepScheduler") return run_dpm_solver(c);
  const double s_churn = c.config().value("step", Json::object()).value("s_churn", 0.0);
  if (name == "EulerDiscreteScheduler") {
    skip_unless(c, s_churn == 0.0, "s_churn");
    return run_down_sigmas(c, "euler", true);
  }
  if (name == "EulerAncestralDiscreteScheduler") return run_down_sigmas(c, "euler_a", true);
  c.skip(name);
}

void add_diffusers_kinds(KindTable& kinds) { kinds.add("sampler_diffusers", run_sampler_diffusers); }
const RegisterKinds kDiffusionDiffusersRegistered(add_diffusers_kinds);

}  // namespace
}  // namespace ldm::golden
