// Schedulers of diffusers, by our samplers.
#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "ldm/diffusion/ddim.h"
#include "ldm/diffusion/ddpm.h"
#include "ldm/diffusion/deis.h"
#include "ldm/diffusion/dpm_solver.h"
#include "ldm/diffusion/euler_a.h"
#include "ldm/diffusion/euler_diffusers.h"
#include "ldm/diffusion/lcm.h"
#include "ldm/diffusion/plms.h"
#include "ldm/diffusion/pndm.h"
#include "ldm/diffusion/pure_noise.h"
#include "ldm/diffusion/spacing.h"
#include "ldm/diffusion/tcd.h"
#include "ldm/diffusion/unipc.h"
#include "tests/golden/analytic.h"
#include "tests/golden/diffusers_levels.h"
#include "tests/golden/runner.h"

namespace ldm::golden {
namespace {

using Walk =
    std::function<torch::Tensor(torch::Tensor x, const std::vector<double>& sigmas, const SamplerRun&)>;

double alpha_norm(double sigma) { return std::hypot(1.0, sigma); }

std::string class_of(const Case& c) { return c.config().value("class", ""); }

Json step_arguments(const Case& c) { return c.config().value("step", Json::object()); }

void expect_states(Case& c, const std::vector<torch::Tensor>& states) {
  for (size_t i = 1; i < states.size(); ++i) c.expect("x." + std::to_string(i), states[i]);
}

void expect_timesteps(Case& c, const torch::Tensor& t) {
  c.expect("timesteps", t.to(c.stored("timesteps").scalar_type()));
}

Prediction prediction_of(const Case& c) {
  return parse_prediction(c.config().value("prediction_type", "epsilon"));
}

// Where diffusers clamps the estimate, which DDIM and DDPM do unless told otherwise; 0: not.
double clip_range(const Case& c) {
  return c.config().value("clip_sample", true) ? c.config().value("clip_sample_range", 1.0) : 0.0;
}

Denoiser denoiser_of(Case& c, const NoiseSchedule& schedule) {
  return case_denoiser(c, schedule, prediction_of(c));
}

// The states of a walk in the scale of the scheduler, which for all but Euler is variance preserving.
std::vector<torch::Tensor> walked_states(Case& c, const std::vector<double>& sigmas, bool preserving,
                                         const Walk& walk) {
  const auto scale = [preserving](double sigma) { return preserving ? alpha_norm(sigma) : 1.0; };
  std::vector<torch::Tensor> states;
  SamplerRun run;
  run.noise = case_noise(c);
  run.before_step = [&](const torch::Tensor& x, double sigma) {
    states.push_back(x / scale(sigma));
    return x;
  };
  const auto x = walk(c.input("x_T") * scale(sigmas[0]), sigmas, run);
  states.push_back(x / scale(sigmas.back()));
  return states;
}

// DDIM goes from t to t - T / n, which is not always the next entry of the list, DDPM to that.
enum class StepTo { kStride, kNext };

void run_step_by_step(Case& c, const NoiseSchedule& schedule, Prediction prediction, double final_sigma,
                      const std::string& default_spacing, double pure_noise_eta, const Walk& step,
                      StepTo rule = StepTo::kStride) {
  const int64_t n = c.config().at("n"), stride = schedule.timesteps() / n;
  const auto timesteps = timesteps_diffusers(c.config().value("timestep_spacing", default_spacing), n,
                                             schedule.timesteps(), c.config().value("steps_offset", 0));
  expect_timesteps(c, vector_i64(timesteps));
  const auto denoise = case_denoiser(c, schedule, prediction);
  SamplerRun run;
  run.noise = case_noise(c);
  std::vector<torch::Tensor> states{c.input("x_T")};
  for (size_t i = 0; i < timesteps.size(); ++i) {
    const int64_t t = timesteps[i];
    const int64_t next = i + 1 < timesteps.size() ? timesteps[i + 1] : -1;
    const int64_t to_t = rule == StepTo::kNext ? next : t - stride;
    const double from = schedule.sigma(t), to = to_t >= 0 ? schedule.sigma(to_t) : final_sigma;
    const bool pure = schedule.alphas_cumprod[static_cast<size_t>(t)] == 0;
    const auto x = pure ? step_from_pure_noise(denoise, states.back(), to, run, pure_noise_eta)
                        : step(states.back() * alpha_norm(from), {from, to}, run);
    states.push_back(x / alpha_norm(to));
  }
  expect_states(c, states);
}

void run_ddim_scheduler(Case& c) {
  skip_unknown_keys(c, {"set_alpha_to_one", "clip_sample", "clip_sample_range"},
                    {"eta", "use_clipped_model_output"});
  const auto schedule = case_schedule(c);
  const auto denoise = denoiser_of(c, schedule);
  const double eta = step_arguments(c).value("eta", 0.0);
  const DdimOptions options{.eta = eta,
                            .clip = clip_range(c),
                            .clip_noise = step_arguments(c).value("use_clipped_model_output", false)};
  const bool to_one = c.config().value("set_alpha_to_one", true);
  run_step_by_step(c, schedule, prediction_of(c), to_one ? 0.0 : schedule.sigma_min(), "leading", eta,
                   [&](torch::Tensor x, const std::vector<double>& sigmas, const SamplerRun& run) {
                     return sample_ddim(denoise, std::move(x), sigmas, run, options);
                   });
}

void run_ddpm_scheduler(Case& c) {
  skip_unknown_keys(c, {"variance_type", "clip_sample", "clip_sample_range"});
  const auto variance = c.config().value("variance_type", "fixed_small");
  if (!variance.starts_with("fixed_small") && variance != "fixed_large")
    c.skip("DDPMScheduler/variance_type:" + variance);
  const bool large = variance == "fixed_large";
  const auto schedule = case_schedule(c);
  const auto exact = denoiser_of(c, schedule);
  const double clip = clip_range(c);
  const Denoiser denoise = [&](const torch::Tensor& x, const torch::Tensor& sigma) {
    return clip > 0 ? exact(x, sigma).clamp(-clip, clip) : exact(x, sigma);
  };
  run_step_by_step(
      c, schedule, prediction_of(c), 0.0, "leading", 1.0,
      [&](torch::Tensor x, const std::vector<double>& sigmas, const SamplerRun& run) {
        // Where the last timestep is not 0, diffusers adds noise after it too: sqrt(beta).
        if (large && sigmas[1] == 0 && sigmas[0] > schedule.sigma_min()) {
          const auto noise = run.draw("DDPMScheduler", x);
          return denoise_at(denoise, x, sigmas[0]) + noise * (sigmas[0] / alpha_norm(sigmas[0]));
        }
        return sample_ddpm(denoise, std::move(x), sigmas, run, {.v_posterior = large ? 1.0 : 0.0});
      },
      StepTo::kNext);
}

void run_ztsnr(Case& c) {
  const auto& o = c.config();
  ScheduleOptions options;
  options.beta_schedule = o.at("beta_schedule") == "scaled_linear" ? "linear" : "sqrt_linear";
  options.linear_start = o.at("beta_start");
  options.linear_end = o.at("beta_end");
  options.zero_terminal_snr = true;
  const NoiseSchedule schedule(options);
  const auto& ac = schedule.alphas_cumprod;
  c.expect("alphas_cumprod_last5", vector_f64({ac.end() - 5, ac.end()}));
  const auto denoise = case_denoiser(c, schedule, Prediction::kV);
  const double eta = o.value("eta", 0.0);
  run_step_by_step(c, schedule, Prediction::kV, 0.0, "trailing", eta,
                   [&](torch::Tensor x, const std::vector<double>& sigmas, const SamplerRun& run) {
                     return sample_ddim(denoise, std::move(x), sigmas, run, {.eta = eta});
                   });
}

void run_down_sigmas(Case& c, const NoiseSchedule& schedule, const DiffusersFamily& family, bool preserving,
                     const Walk& walk) {
  const auto levels = diffusers_levels(c, schedule, family);
  expect_timesteps(c, vector_f64(levels.timesteps));
  c.expect("sigmas", vector_f64(levels.sigmas));
  expect_states(c, walked_states(c, levels.sigmas, preserving, walk));
}

void run_dpm_solver(Case& c) {
  skip_unknown_keys(c, {"algorithm_type", "solver_order", "solver_type", "lower_order_final",
                        "euler_at_final", "final_sigmas_type", "use_karras_sigmas", "use_lu_lambdas",
                        "use_exponential_sigmas", "use_beta_sigmas"});
  const auto& o = c.config();
  const std::string algorithm = o.value("algorithm_type", "dpmsolver++"),
                    type = o.value("solver_type", "midpoint");
  const bool stochastic = algorithm.starts_with("sde-"), data = algorithm.ends_with("++");
  if (algorithm != std::string(stochastic ? "sde-" : "") + "dpmsolver" + (data ? "++" : ""))
    c.skip(algorithm);
  if (type != "midpoint" && type != "heun") c.skip("DPMSolverMultistepScheduler/solver_type:" + type);
  const DpmSolverOptions options{.order = o.value("solver_order", 2),
                                 .form = data ? SolverForm::kData : SolverForm::kNoise,
                                 .rule = type == "heun" ? SlopeRule::kExact : SlopeRule::kMidpoint,
                                 .lower_order_final = o.value("lower_order_final", true),
                                 .euler_at_final = o.value("euler_at_final", false),
                                 .eta = stochastic ? 1.0 : 0.0,
                                 .diffusers_third_order = stochastic && data};
  const auto schedule = case_schedule(c);
  const auto denoise = denoiser_of(c, schedule);
  run_down_sigmas(c, schedule, {.cuts_cosine = true}, true,
                  [&](torch::Tensor x, const std::vector<double>& sigmas, const SamplerRun& run) {
                    return sample_dpm_solver(denoise, std::move(x), sigmas, run, options);
                  });
}

void run_deis_scheduler(Case& c) {
  skip_unknown_keys(c, {"solver_order", "lower_order_final", "algorithm_type", "solver_type",
                        "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas"});
  if (const auto type = c.config().value("algorithm_type", "deis"); type != "deis") c.skip(type);
  if (const auto type = c.config().value("solver_type", "logrho"); type != "logrho") c.skip(type);
  const DeisOptions options{c.config().value("solver_order", 2), c.config().value("lower_order_final", true)};
  const auto schedule = case_schedule(c);
  const auto denoise = denoiser_of(c, schedule);
  run_down_sigmas(c, schedule, {.always_sigma_min = true}, true,
                  [&](torch::Tensor x, const std::vector<double>& sigmas, const SamplerRun& run) {
                    return sample_deis(denoise, std::move(x), sigmas, run, options);
                  });
}

void run_unipc_scheduler(Case& c) {
  skip_unknown_keys(c,
                    {"solver_order", "solver_type", "predict_x0", "lower_order_final", "disable_corrector",
                     "final_sigmas_type", "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas"});
  const auto& o = c.config();
  const std::string type = o.value("solver_type", "bh2");
  if (type != "bh1" && type != "bh2") c.skip("UniPCMultistepScheduler/solver_type:" + type);
  const UniPcOptions options{.order = o.value("solver_order", 2),
                             .bh1 = type == "bh1",
                             .form = o.value("predict_x0", true) ? SolverForm::kData : SolverForm::kNoise,
                             .lower_order_final = o.value("lower_order_final", true),
                             .uncorrected = o.value("disable_corrector", std::vector<int64_t>())};
  const auto schedule = case_schedule(c);
  const auto denoise = denoiser_of(c, schedule);
  run_down_sigmas(c, schedule, {}, true,
                  [&](torch::Tensor x, const std::vector<double>& sigmas, const SamplerRun& run) {
                    return sample_unipc(denoise, std::move(x), sigmas, run, options);
                  });
}

ChurnOptions churn_arguments(const Json& step) {
  return {step.value("s_churn", 0.0), step.value("s_tmin", 0.0),
          step.value("s_tmax", std::numeric_limits<double>::infinity()), step.value("s_noise", 1.0)};
}

void run_euler_scheduler(Case& c) {
  const bool ancestral = class_of(c) == "EulerAncestralDiscreteScheduler";
  if (ancestral) {
    skip_unknown_keys(c, {});
  } else {
    skip_unknown_keys(c,
                      {"use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "final_sigmas_type"},
                      {"s_churn", "s_tmin", "s_tmax", "s_noise"});
  }
  const auto schedule = case_schedule(c);
  const auto denoise = denoiser_of(c, schedule);
  const auto churn = churn_arguments(step_arguments(c));
  const auto scaling = output_scaling(prediction_of(c));
  const bool velocities = prediction_of(c) == Prediction::kV;
  run_down_sigmas(c, schedule, {.rounds_timesteps = false}, false,
                  [&](torch::Tensor x, const std::vector<double>& sigmas, const SamplerRun& run) {
                    return ancestral ? sample_euler_a(denoise, std::move(x), sigmas, run)
                                     : sample_euler_diffusers(denoise, std::move(x), sigmas, run, churn,
                                                              scaling, velocities);
                  });
}

// LCM and TCD: n of the timesteps that the distillation used.
std::vector<double> consistency_levels(Case& c, const NoiseSchedule& schedule, double last) {
  int64_t trained = c.config().value("original_inference_steps", 50);
  const auto arguments = c.config().value("set_timesteps", Json::object());
  // TCD takes the argument as a wish for the whole range.
  if (const auto asked = arguments.find("original_inference_steps"); asked != arguments.end())
    trained = class_of(c) == "TCDScheduler" ? schedule.timesteps() : asked->get<int64_t>();
  const auto t = timesteps_lcm(c.config().at("n"), schedule.timesteps(), trained);
  expect_timesteps(c, vector_i64(t));
  std::vector<double> sigmas;
  for (const int64_t at : t) sigmas.push_back(schedule.sigma(at));
  sigmas.push_back(last);
  return sigmas;
}

void run_lcm_scheduler(Case& c) {
  skip_unknown_keys(
      c, {"original_inference_steps", "timestep_scaling", "set_timesteps.original_inference_steps"});
  const auto schedule = case_schedule(c);
  const auto denoise =
      lcm_denoiser(denoiser_of(c, schedule), schedule, c.config().value("timestep_scaling", 10.0));
  const auto walk = [&](torch::Tensor x, const std::vector<double>& sigmas, const SamplerRun& run) {
    return sample_lcm(denoise, std::move(x), sigmas, run);
  };
  expect_states(c, walked_states(c, consistency_levels(c, schedule, 0.0), true, walk));
}

void run_tcd_scheduler(Case& c) {
  skip_unknown_keys(c, {"original_inference_steps", "set_timesteps.original_inference_steps"}, {"eta"});
  const auto schedule = case_schedule(c);
  const auto denoise = denoiser_of(c, schedule);
  const double eta = step_arguments(c).value("eta", 0.3);
  const auto walk = [&](torch::Tensor x, const std::vector<double>& sigmas, const SamplerRun& run) {
    return sample_tcd(denoise, std::move(x), sigmas, run, schedule, eta);
  };
  expect_states(c, walked_states(c, consistency_levels(c, schedule, schedule.sigma_min()), true, walk));
}

// The timesteps of PNDM's model calls. With Runge-Kutta the last four of the ascending list are walked by
// steps of four calls; else the first step's second call is listed as a step of its own.
std::vector<int64_t> pndm_calls(std::vector<int64_t> t, bool runge_kutta, int64_t stride) {
  if (!runge_kutta) {
    if (t.size() > 1) t.insert(t.begin() + 1, t[1]);
    return t;
  }
  std::vector<int64_t> out;
  for (size_t i = 0; i < 3; ++i) {
    const int64_t middle = t[i + 1] + stride / 2;
    out.insert(out.end(), {t[i], middle, middle, t[i + 1]});
  }
  out.insert(out.end(), t.begin() + 3, t.end());
  return out;
}

void run_pndm_scheduler(Case& c) {
  skip_unknown_keys(c, {"skip_prk_steps", "set_alpha_to_one"});
  const auto& o = c.config();
  const int64_t n = o.at("n");
  const bool runge_kutta = !o.value("skip_prk_steps", false);
  if (o.value("timestep_spacing", "leading") != "leading") c.skip("PNDMScheduler/timestep_spacing");
  if (runge_kutta && n < 4) c.skip("PNDMScheduler/n");  // There diffusers' list of calls is broken.
  const auto schedule = case_schedule(c);
  const auto t = timesteps_diffusers("leading", n, schedule.timesteps(), o.value("steps_offset", 0));
  std::vector<double> sigmas;
  for (const int64_t at : t) sigmas.push_back(schedule.sigma(at));
  sigmas.push_back(o.value("set_alpha_to_one", false) ? 0.0 : schedule.sigma_min());
  expect_timesteps(c, vector_i64(pndm_calls(t, runge_kutta, schedule.timesteps() / n)));
  std::vector<torch::Tensor> states;  // What the model was asked about is what the steps arrived at.
  const auto exact = denoiser_of(c, schedule);
  const Denoiser denoise = [&](const torch::Tensor& x, const torch::Tensor& sigma) {
    states.push_back(x / alpha_norm(sigma[0].item<double>()));
    return exact(x, sigma);
  };
  const auto start = c.input("x_T") * alpha_norm(sigmas[0]);
  const auto outputs = output_scaling(prediction_of(c));
  const auto x = runge_kutta ? sample_pndm(denoise, start, sigmas, {}, schedule, outputs)
                 : n == 1
                     ? sample_ddim(denoise, start, sigmas, {})  // A single step has no second call there.
                     : sample_plms(denoise, start, sigmas, {}, outputs);
  states.push_back(x / alpha_norm(sigmas.back()));
  expect_states(c, states);
}

std::vector<double> edm_sigmas(const Case& c) {
  const auto& o = c.config();
  const std::string schedule = o.value("sigma_schedule", "karras"),
                    last = o.value("final_sigmas_type", "zero");
  if (schedule != "karras" && schedule != "exponential") c.skip("sigma_schedule:" + schedule);
  if (last != "zero" && last != "sigma_min") c.skip("final_sigmas_type:" + last);
  auto out = schedule == "karras"
                 ? sigmas_karras(o.at("n"), o.at("sigma_min"), o.at("sigma_max"), o.value("rho", 7.0))
                 : sigmas_exponential(o.at("n"), o.at("sigma_min"), o.at("sigma_max"));
  if (last == "sigma_min") out.back() = out[out.size() - 2];
  return out;
}

void run_edm_scheduler(Case& c) {
  const auto& o = c.config();
  const double sigma_data = o.at("sigma_data");
  const auto sigmas = edm_sigmas(c);
  c.expect("sigmas", vector_f64(sigmas));
  c.expect("timesteps", vector_f64({sigmas.begin(), sigmas.end() - 1}).log() / 4);
  const auto exact = analytic_denoiser(c);
  int64_t calls = 0;
  const Network network = [&](const torch::Tensor& in, const torch::Tensor& c_noise) {
    c.expect("model_in." + std::to_string(calls++), in);
    const auto sigma = (4 * c_noise.to(at::kDouble)).exp().cpu();
    const auto s = edm_scaling(sigma, sigma_data);
    const auto x = in / per_sample(s.c_in, in);
    return (exact(x, sigma) - per_sample(s.c_skip, x) * x) / per_sample(s.c_out, x);
  };
  const auto denoise = edm_denoiser(network, sigma_data);
  expect_states(c,
                walked_states(c, sigmas, false,
                              [&](torch::Tensor x, const std::vector<double>& levels, const SamplerRun& run) {
                                return sample_euler_diffusers(denoise, std::move(x), levels, run,
                                                              churn_arguments(step_arguments(c)),
                                                              edm_output_scaling(sigma_data));
                              }));
}

void run_sampler_diffusers(Case& c) {
  static const std::map<std::string, void (*)(Case&)> kClasses = {
      {"DDIMScheduler", run_ddim_scheduler},
      {"DDPMScheduler", run_ddpm_scheduler},
      {"DPMSolverMultistepScheduler", run_dpm_solver},
      {"DEISMultistepScheduler", run_deis_scheduler},
      {"UniPCMultistepScheduler", run_unipc_scheduler},
      {"EulerDiscreteScheduler", run_euler_scheduler},
      {"EulerAncestralDiscreteScheduler", run_euler_scheduler},
      {"LCMScheduler", run_lcm_scheduler},
      {"TCDScheduler", run_tcd_scheduler},
      {"PNDMScheduler", run_pndm_scheduler},
  };
  const auto found = kClasses.find(class_of(c));
  if (found == kClasses.end()) c.skip(class_of(c));
  found->second(c);
}

void add_diffusers_kinds(KindTable& kinds) {
  kinds.add("sampler_diffusers", run_sampler_diffusers);
  kinds.add("sampler_diffusers_ztsnr", run_ztsnr);
  kinds.add("sampler_diffusers_edm", run_edm_scheduler);
}
const RegisterKinds kDiffusionDiffusersRegistered(add_diffusers_kinds);

}  // namespace
}  // namespace ldm::golden
