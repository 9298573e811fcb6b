// Samplers of the original and of k-diffusion on the analytic denoiser.
#include <ATen/ATen.h>

#include <cmath>

#include "ldm/core/error.h"
#include "ldm/diffusion/dpm_adaptive.h"
#include "ldm/diffusion/dpm_fast.h"
#include "ldm/diffusion/samplers.h"
#include "ldm/diffusion/spacing.h"
#include "tests/golden/analytic.h"
#include "tests/golden/json_fields.h"
#include "tests/golden/runner.h"

namespace ldm::golden {
namespace {

std::string indexed(const char* name, int64_t i) { return std::string(name) + "." + std::to_string(i); }

// The original's state is variance preserving, ours is clean + sigma noise.
double norm(double sigma) { return std::sqrt(1 + sigma * sigma); }

// What a step blends the known part with: one draw before the sampler's own.
NoiseFn mask_noise(Case& c, bool first_step_draws_twice) {
  if (!first_step_draws_twice) return case_noise(c, 0, 2);
  return [first = case_noise(c, 0), rest = case_noise(c, 3, 2), step = 0](const torch::Tensor& like) mutable {
    return step++ == 0 ? first(like) : rest(like);
  };
}

// Runs one of the original's samplers and compares x.i and pred_x0.i after every step (1-based).
void run_original(Case& c, const char* sampler, const NoiseSchedule& schedule,
                  const std::vector<double>& sigmas, const SampleOptions& options) {
  const auto prediction = parse_prediction(c.config().at("parameterization").get<std::string>());
  const bool masked = c.config().value("mask", false);
  std::vector<double> calls;
  const auto denoise = case_denoiser(c, schedule, prediction, &calls);
  std::vector<torch::Tensor> states;  // Before each step, in the original's scale.
  SamplerRun run;
  const bool twice = masked && std::string(sampler) == "plms";  // Its first step draws for both model calls.
  run.noise = masked ? case_noise(c, 1, 2) : case_noise(c);
  run.on_step = [&](const StepEvent& e) {
    if (const auto name = indexed("pred_x0", e.step + 1); c.has(name)) c.expect(name, e.denoised);
  };
  const auto blend = masked ? keep_known(c.input("x0"), c.input("mask"), mask_noise(c, twice)) : nullptr;
  run.before_step = [&](const torch::Tensor& x, double sigma) {
    states.push_back(x / norm(sigma));
    return blend ? blend(x, sigma) : x;
  };
  const auto x =
      find_sampler(sampler).run(denoise, c.input("x_T") * norm(sigmas[0]), sigmas, run, options, schedule);
  states.push_back(x / norm(sigmas.back()));
  for (size_t i = 1; i < states.size(); ++i) c.expect(indexed("x", static_cast<int64_t>(i)), states[i]);
  if (!c.config().contains("model_calls_t")) return;
  const auto want = c.config()["model_calls_t"].get<std::vector<double>>();
  bool equal = want.size() == calls.size();
  for (size_t i = 0; equal && i < want.size(); ++i) equal = std::abs(want[i] - calls[i]) < 1e-9 * 1000;
  c.expect_true("model_calls_t", equal);
}

void run_sampler_ddpm(Case& c) {
  const auto schedule = case_schedule(c);
  std::vector<double> sigmas(schedule.sigmas.rbegin(), schedule.sigmas.rend());
  sigmas.push_back(0.0);
  SampleOptions options;
  options.clip_denoised = c.config().at("clip_denoised");
  options.v_posterior = c.config().at("v_posterior");
  run_original(c, "ddpm", schedule, sigmas, options);
}

void run_with_timesteps(Case& c, const char* sampler) {
  const auto schedule = case_schedule(c);
  const auto timesteps = timesteps_original("uniform", c.config().at("S"), schedule.timesteps());
  c.expect("timesteps", vector_i64(timesteps));
  std::vector<double> sigmas;
  for (auto t = timesteps.rbegin(); t != timesteps.rend(); ++t) sigmas.push_back(schedule.sigma(*t));
  sigmas.push_back(schedule.sigma_min());
  SampleOptions options;
  options.eta = c.config().at("eta").get<double>();
  options.temperature = c.config().value("temperature", 1.0);
  run_original(c, sampler, schedule, sigmas, options);
}

const SamplerInfo& sampler_k(const Case& c) {
  const std::string name = c.config().at("sampler");
  try {
    return find_sampler(name);
  } catch (const Error&) {
    c.skip(name);
  }
}

// The keyword arguments as k-diffusion names them; what SampleOptions lists under the same name.
SampleOptions options_k(const Case& c) {
  try {
    return read_json_options<SampleOptions>(c.config().value("args", Json::object()));
  } catch (const Error& e) {
    c.skip(c.config().at("sampler").get<std::string>() + "/" + e.what());
  }
}

SamplerRun run_reporting(Case& c) {
  SamplerRun run;
  run.noise = case_noise(c);
  run.on_step = [&c](const StepEvent& e) {
    c.expect(indexed("x_in", e.step), e.x);
    c.expect(indexed("denoised", e.step), e.denoised);
  };
  return run;
}

void run_k_levels(Case& c, const Denoiser& denoise) {
  if (!c.has("sigmas")) c.skip(c.config().at("sampler"));
  const auto& sampler = sampler_k(c);
  const auto sigmas = host_f64(c.input("sigmas"));
  const NoiseSchedule unused;
  if (sampler.run == nullptr) c.skip(sampler.name);
  c.expect("x_final", sampler.run(denoise, c.input("x_T"), sigmas, run_reporting(c), options_k(c), unused));
}

void run_k_fast(Case& c, const Denoiser& denoise) {
  const auto& o = c.config();
  const auto args = o.value("args", Json::object());
  const DpmFastOptions options{o.at("n"), args.value("eta", 0.0), args.value("s_noise", 1.0)};
  const std::vector<double> ends{o.at("sigma_max"), o.at("sigma_min")};
  c.expect("x_final", sample_dpm_fast(denoise, c.input("x_T"), ends, run_reporting(c), options));
}

void run_k_adaptive(Case& c, const Denoiser& denoise) {
  const auto& o = c.config();
  const auto args = o.value("args", Json::object());
  DpmAdaptiveOptions options;
  options.order = args.value("order", options.order);
  const std::pair<const char*, double*> numbers[] = {
      {"rtol", &options.rtol},     {"atol", &options.atol},       {"h_init", &options.first_length},
      {"pcoeff", &options.pcoeff}, {"icoeff", &options.icoeff},   {"dcoeff", &options.dcoeff},
      {"eta", &options.eta},       {"s_noise", &options.s_noise}, {"accept_safety", &options.accept_safety}};
  for (const auto& [name, field] : numbers) *field = args.value(name, *field);
  std::vector<double> lengths, errors;
  std::vector<int64_t> info{0, 0, 0, 0};
  options.on_attempt = [&](const DpmAdaptiveAttempt& a) {
    c.expect(indexed("x_in", info[0]), a.x);
    c.expect(indexed("denoised", info[0]++), a.denoised);
    lengths.push_back(a.next_length);
    errors.push_back(a.error);
    info[1] = a.calls;
    ++info[a.accepted ? 2 : 3];
  };
  SamplerRun run;
  run.noise = case_noise(c);
  const std::vector<double> ends{o.at("sigma_max"), o.at("sigma_min")};
  c.expect("x_final", sample_dpm_adaptive(denoise, c.input("x_T"), ends, run, options));
  c.expect("h", vector_f64(lengths));
  c.expect("error", vector_f64(errors));
  c.expect("info", vector_i64(info));
}

void run_k(Case& c, const Denoiser& denoise) {
  const std::string name = c.config().at("sampler");
  if (name == "dpm_fast") return run_k_fast(c, denoise);
  if (name == "dpm_adaptive") return run_k_adaptive(c, denoise);
  run_k_levels(c, denoise);
}

void run_sampler_k(Case& c) { run_k(c, analytic_denoiser(c)); }

void run_sampler_k_discrete(Case& c) {
  const auto prediction = parse_prediction(c.config().at("parameterization").get<std::string>());
  std::vector<double> calls;
  run_k(c, case_denoiser(c, case_schedule(c), prediction, &calls));
  c.expect("t", vector_f64(calls));
}

void run_sampler_edm(Case& c) {
  const auto& o = c.config();
  const auto sigmas = sigmas_karras(o.at("num_steps"), o.at("sigma_min"), o.at("sigma_max"), o.at("rho"));
  SampleOptions options;
  options.s_churn = o.at("S_churn");
  options.s_tmin = o.at("S_min");
  options.s_tmax = o.at("S_max");
  options.s_noise = o.at("S_noise");
  int64_t call = 0;
  const Denoiser exact = analytic_denoiser(c);
  const Denoiser denoise = [&](const torch::Tensor& x, const torch::Tensor& sigma) {
    const auto out = exact(x, sigma);
    c.expect(indexed("denoised", call++), out);
    return out;
  };
  SamplerRun run;
  run.noise = case_noise(c);
  const NoiseSchedule unused;
  c.expect("x_final",
           find_sampler("heun").run(denoise, c.input("latents") * sigmas[0], sigmas, run, options, unused));
}

void add_sampler_kinds(KindTable& kinds) {
  kinds.add("sampler_ddpm", run_sampler_ddpm);
  kinds.add("sampler_ddim", [](Case& c) { run_with_timesteps(c, "ddim"); });
  kinds.add("sampler_plms", [](Case& c) { run_with_timesteps(c, "plms"); });
  kinds.add("sampler_k", run_sampler_k);
  kinds.add("sampler_k_discrete", run_sampler_k_discrete);
  kinds.add("sampler_edm", run_sampler_edm);
}
const RegisterKinds kDiffusionSamplerRegistered(add_sampler_kinds);

}  // namespace
}  // namespace ldm::golden
