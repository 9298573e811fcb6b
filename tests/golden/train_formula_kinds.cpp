// Averages, learning rates, time densities and distillation targets (golden/math, Training).
#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "ldm/diffusion/distillation.h"
#include "ldm/diffusion/flow_density.h"
#include "ldm/diffusion/training.h"
#include "ldm/train/ema_profile.h"
#include "ldm/train/lr_schedule.h"
#include "tests/golden/analytic.h"
#include "tests/golden/runner.h"

namespace ldm::golden {
namespace {

template <typename Fn>
torch::Tensor mapped(const torch::Tensor& in, Fn fn) {
  auto out = host_f64(in.reshape({-1}));
  for (auto& v : out) v = fn(v);
  return vector_f64(out).view(in.sizes());
}

void run_ema_halflife(Case& c) {
  const double batch = c.config().at("batch"), half_life = c.config().at("halflife_nimg"),
               ramp_up = c.config().at("rampup_ratio");
  const auto at = [&](double n) { return half_life_decay(n, batch, half_life, ramp_up); };
  c.expect("halflife_used", mapped(c.input("cur_nimg"), [&](double n) { return at(n).half_life; }));
  c.expect("beta", mapped(c.input("cur_nimg"), [&](double n) { return at(n).beta; }));
}

std::vector<PowerSnapshot> snapshots(const torch::Tensor& times, const torch::Tensor& widths) {
  const auto t = host_f64(times), w = host_f64(widths);
  std::vector<PowerSnapshot> out;
  for (size_t i = 0; i < t.size(); ++i) out.push_back({.time = t[i], .gamma = power_exponent(w[i])});
  return out;
}

void run_ema_power(Case& c) {
  const auto exponents = mapped(c.input("std"), power_exponent);
  c.expect("exp", exponents);
  c.expect("std_back", mapped(exponents, power_width));
  const double delta = c.config().at("t_delta");
  const auto gammas = host_f64(exponents);
  for (size_t i = 0; i < gammas.size(); ++i) {
    c.expect("beta." + std::to_string(i),
             mapped(c.input("t_next"), [&](double t) { return power_decay(t, delta, gammas[i]); }));
  }
  const auto in = snapshots(c.input("in_ofs"), c.input("in_std"));
  const auto out = snapshots(c.input("out_ofs"), c.input("out_std"));
  const auto rows = static_cast<int64_t>(in.size()), columns = static_cast<int64_t>(out.size());
  c.expect("correlation", vector_f64(power_products(in, in)).view({rows, rows}));
  c.expect("coefficients", vector_f64(power_reconstruction(in, out)).view({rows, columns}));
}

void run_lr_edm2(Case& c) {
  const auto& config = c.config();
  const Edm2LrOptions options{.ref_batches = config.at("ref_batches"),
                              .rampup_mimg = config.at("rampup_Mimg")};
  const double rate = config.at("ref_lr"), batch = config.at("batch");
  c.expect("lr", mapped(c.input("nimg"), [&](double n) { return rate * edm2_factor(options, n, batch); }));
}

void run_lr_diffusers(Case& c) {
  const auto& config = c.config();
  DiffusersLrOptions o;
  o.num_warmup_steps = config.at("warmup");
  o.num_training_steps = config.at("total");
  for (const std::string name : c.json().at("outputs")) {
    o.name = name;
    const auto& names = diffusers_schedule_names();
    if (std::find(names.begin(), names.end(), name) == names.end()) continue;
    o.num_cycles = config.value(name + ".num_cycles", 0.0);
    if (name == "polynomial" && config.contains(name)) {
      const auto& p = config.at(name);
      o.power = p.value("power", 1.0);
      o.lr_end = p.value("lr_end", 1e-7) / p.value("lr_init", 1.0);
    }
    const auto schedule = diffusers_schedule(o);
    c.expect(name, mapped(c.input("n"), [&](double n) { return schedule(static_cast<int64_t>(n)); }));
  }
}

// "0.0.1.0" and "0.1": the cases write the mean and deviation either way.
std::vector<std::string> pair_names(double mean, double std) {
  std::ostringstream plain;
  plain << mean << '.' << std;
  return {Json(mean).dump() + "." + Json(std).dump(), plain.str()};
}

void run_flow_timestep_density(Case& c) {
  std::map<std::string, std::pair<double, double>> pairs;
  for (const auto& name : pair_names(0, 1)) pairs[name] = {0, 1};
  for (const auto& pair : c.config().at("normal_params")) {
    for (const auto& name : pair_names(pair[0], pair[1])) pairs[name] = {pair[0], pair[1]};
  }
  const auto u = c.input("u"), normal = c.input("normal");
  for (const std::string output : c.json().at("outputs")) {
    if (output == "cosmap") c.expect(output, cosmap_time(u));
    if (output.starts_with("mode_s")) c.expect(output, mode_time(u, std::stod(output.substr(6))));
    const auto found = pairs.find(output.substr(std::min(output.find('.'), output.size() - 1) + 1));
    if (found == pairs.end()) continue;
    const auto [mean, std] = found->second;
    if (output.starts_with("logit_normal_pdf.")) c.expect(output, logit_normal_density(u, mean, std));
    if (output.starts_with("logit_normal_sample.")) c.expect(output, logit_normal_time(normal, mean, std));
  }
}

// Clean latents and noise that a mixture's exact denoiser sees in z = alpha clean + sigma noise.
std::pair<torch::Tensor, torch::Tensor> mixture_estimate(const Denoiser& denoise, const torch::Tensor& z,
                                                         const torch::Tensor& alpha,
                                                         const torch::Tensor& sigma) {
  const auto x0 = denoise(z / alpha, (sigma / alpha).reshape({-1}).expand({z.size(0)}).contiguous());
  return {x0, (z - alpha * x0) / sigma};
}

void run_latent_consistency(Case& c) {
  const auto& config = c.config();
  const auto schedule = case_schedule(c);
  const auto boundary = lcm_scaling(vector_i64(config.at("t")).to(at::kDouble));
  c.expect("lcm_c_skip", boundary.c_skip);
  c.expect("lcm_c_out", boundary.c_out);
  constexpr const char* kTimesteps = "lcm_ddim_timesteps_";
  int64_t count = 50;
  for (const std::string output : c.json().at("outputs")) {
    if (!output.starts_with(kTimesteps)) continue;
    count = std::stoll(output.substr(std::string(kTimesteps).size()));
    c.expect(output, vector_i64(lcm_timesteps(count, schedule.timesteps())));
  }
  const auto x = c.input("x"), t = vector_i64(config.at("ddim_t"));
  const auto ac = table_at(schedule.alphas_cumprod, t, x);
  const auto with = [&](const char* mixture) {
    return mixture_estimate(analytic_denoiser(c, mixture), x, ac.sqrt(), (1 - ac).sqrt());
  };
  const auto [x0_c, eps_c] = with("gmm");
  const auto [x0_u, eps_u] = with("gmm_uncond");
  const double w = config.at("w");
  c.expect("lcm_ddim_target",
           lcm_ddim_target(schedule, lcm_guided(x0_c, x0_u, w), lcm_guided(eps_c, eps_u, w), t, count));
}

void run_progressive(Case& c) {
  const double t = c.config().at("pd_t"), n = c.config().at("pd_N");
  const auto alpha = [](double u) {
    return at::scalar_tensor(std::cos(std::numbers::pi / 2 * u), at::kDouble);
  };
  const auto sigma = [](double u) {
    return at::scalar_tensor(std::sin(std::numbers::pi / 2 * u), at::kDouble);
  };
  const auto teacher = analytic_denoiser(c);
  const auto step = [&](const torch::Tensor& z, double from, double to) {
    const auto [x0, eps] = mixture_estimate(teacher, z, alpha(from), sigma(from));
    return ddim_point(x0, eps, alpha(to), sigma(to));
  };
  const double half = t - 0.5 / n, whole = t - 1 / n;
  const auto z = c.input("z"), z1 = step(z, t, half), z2 = step(z1, half, whole);
  c.expect("pd_z1", z1);
  c.expect("pd_z2", z2);
  const auto number = [](const torch::Tensor& v) { return v.item<double>(); };
  c.expect("pd_target_x", progressive_target(z, z2, number(alpha(t)), number(sigma(t)), number(alpha(whole)),
                                             number(sigma(whole))));
}

void run_distill(Case& c) {
  const auto boundary = consistency_scaling(c.input("sigma"));
  c.expect("cm_c_skip", boundary.c_skip);
  c.expect("cm_c_out", boundary.c_out);
  run_latent_consistency(c);
  run_progressive(c);
}

void add_train_formula_kinds(KindTable& kinds) {
  kinds.add("ema_halflife", run_ema_halflife);
  kinds.add("ema_power", run_ema_power);
  kinds.add("lr_edm2", run_lr_edm2);
  kinds.add("lr_diffusers", run_lr_diffusers);
  kinds.add("flow_timestep_density", run_flow_timestep_density);
  kinds.add("distill", run_distill);
}
const RegisterKinds kTrainFormulasRegistered(add_train_formula_kinds);

}  // namespace
}  // namespace ldm::golden
