// Schedules and spacings.
#include <ATen/ATen.h>

#include <cmath>
#include <map>

#include "ldm/diffusion/loss_weight.h"
#include "ldm/diffusion/sampler_run.h"
#include "ldm/diffusion/spacing.h"
#include "tests/golden/analytic.h"
#include "tests/golden/runner.h"

namespace ldm::golden {
namespace {

ScheduleOptions schedule_options(const Json& config) {
  ScheduleOptions o;
  o.timesteps = config.at("timesteps");
  o.beta_schedule = config.at("beta_schedule");
  o.linear_start = config.value("linear_start", o.linear_start);
  o.linear_end = config.value("linear_end", o.linear_end);
  o.cosine_s = config.value("cosine_s", o.cosine_s);
  o.v_posterior = config.value("v_posterior", o.v_posterior);
  return o;
}

void run_schedule(Case& c) {
  const NoiseSchedule s(schedule_options(c.config()));
  const auto ac = vector_f64(s.alphas_cumprod);
  c.expect("betas", vector_f64(s.betas));
  c.expect("alphas_cumprod", ac);
  c.expect("alphas_cumprod_prev", vector_f64(s.alphas_cumprod_prev));
  c.expect("sqrt_alphas_cumprod", ac.sqrt());
  c.expect("sqrt_one_minus_alphas_cumprod", (1 - ac).sqrt());
  c.expect("log_one_minus_alphas_cumprod", (1 - ac).log());
  c.expect("sqrt_recip_alphas_cumprod", ac.rsqrt());
  c.expect("sqrt_recipm1_alphas_cumprod", vector_f64(s.sigmas));
  c.expect("posterior_variance", vector_f64(s.posterior_variance));
  c.expect("posterior_log_variance_clipped", vector_f64(s.posterior_log_variance));
  c.expect("posterior_mean_coef1", vector_f64(s.posterior_mean_coef1));
  c.expect("posterior_mean_coef2", vector_f64(s.posterior_mean_coef2));
  LossWeightOptions lvlb;
  lvlb.kind = "lvlb";
  c.expect("lvlb_weights_eps", vector_f64(loss_weights(s, Prediction::kEps, lvlb)));
  c.expect("lvlb_weights_x0", vector_f64(loss_weights(s, Prediction::kX0, lvlb)));
}

void run_schedule_ztsnr(Case& c) {
  const auto s = NoiseSchedule::from_betas(rescale_zero_terminal_snr(host_f64(c.input("betas_in"))));
  c.expect("betas", vector_f64(s.betas));
  c.expect("alphas_cumprod", vector_f64(s.alphas_cumprod));
}

// The two parameters at the end of a name: prefix_a_b.
std::pair<double, double> name_parameters(const std::string& name, size_t prefix) {
  const auto second = name.find('_', prefix);
  return {std::stod(name.substr(prefix)), std::stod(name.substr(second + 1))};
}

std::vector<double> sigma_table(const Json& o, const std::string& name) {
  const int64_t n = o.at("n");
  const double low = o.at("sigma_min"), high = o.at("sigma_max");
  if (name == "exponential") return sigmas_exponential(n, low, high);
  if (name.starts_with("karras_rho")) return sigmas_karras(n, low, high, std::stod(name.substr(10)));
  if (name.starts_with("polyexponential_rho"))
    return sigmas_polyexponential(n, low, high, std::stod(name.substr(19)));
  if (name == "vp") return sigmas_vp(n, o["vp"].at("beta_d"), o["vp"].at("beta_min"), o["vp"].at("eps_s"));
  if (name == "kl_optimal_a1111") return sigmas_kl_optimal_a1111(n, low, high);
  if (name == "kl_optimal_comfy") return sigmas_kl_optimal(n, low, high);
  if (!name.starts_with("beta_a1111_")) return {};
  const auto [a, b] = name_parameters(name, 11);
  return sigmas_beta(n, low, high, a, b);
}

void run_sigmas(Case& c) {
  for (const std::string name : c.json().at("outputs")) {
    const auto table = sigma_table(c.config(), name);
    if (!table.empty()) c.expect(name, vector_f64(table));
  }
}

void run_sigmas_ays(Case& c) {
  for (const std::string table : c.config().at("tables")) {
    c.expect(table + "_table", vector_f64(align_your_steps(table)));
    for (const int64_t n : c.config().at("n"))
      c.expect(table + "_n" + std::to_string(n), vector_f64(sigmas_align_your_steps(table, n)));
  }
}

void run_sigmas_flow(Case& c) {
  const int64_t n = c.config().at("n"), timesteps = c.config().value("num_train_timesteps", 1000);
  const double shift = c.config().at("shift");
  auto times = flow_times_diffusers(n, shift, timesteps);
  c.expect("diffusers_sigmas", vector_f64(times));
  times.pop_back();
  c.expect("diffusers_timesteps", vector_f64(times) * static_cast<double>(timesteps));
  c.expect("plain_shifted", vector_f64(flow_times(n, shift)));
}

void run_sigmas_flow_dynamic(Case& c) {
  const double mu = c.config().at("mu");
  auto exponential = host_f64(c.input("s")), linear = exponential;
  for (auto& s : exponential) s = exponential_flow_shift(s, mu);
  for (auto& s : linear) s = linear_flow_shift(s, mu);
  c.expect("exponential", vector_f64(exponential));
  c.expect("linear", vector_f64(linear));
}

void run_schedule_diffusers(Case& c) {
  const auto& o = c.config();
  const std::map<std::string, std::string> ours = {
      {"linear", "sqrt_linear"}, {"scaled_linear", "linear"}, {"squaredcos_cap_v2", "cosine"}};
  const std::string name = o.at("beta_schedule");
  if (ours.count(name) == 0) c.skip(name);
  ScheduleOptions options;
  options.beta_schedule = ours.at(name);
  options.timesteps = o.at("num_train_timesteps");
  options.linear_start = o.at("beta_start");
  options.linear_end = o.at("beta_end");
  const NoiseSchedule s(options);
  c.expect("betas", vector_f64(s.betas));
  c.expect("alphas_cumprod", vector_f64(s.alphas_cumprod));
}

void run_sigmas_edm(Case& c) {
  const auto& o = c.config();
  c.expect("sigmas", vector_f64(sigmas_karras(o.at("n"), o.at("sigma_min"), o.at("sigma_max"), o.at("rho"))));
}

void run_sigmas_discrete(Case& c) {
  const auto s = case_schedule(c);
  const int64_t n = c.config().at("n");
  const auto convert = [](std::vector<double> values, const auto& f) {
    for (auto& value : values) value = f(value);
    return vector_f64(values);
  };
  c.expect("model_sigmas", vector_f64(s.sigmas));
  c.expect("uniform", vector_f64(make_sigmas(s, "linspace", n)));
  for (const char* name : {"sgm_uniform", "normal", "simple", "ddim_uniform"})
    c.expect(name, vector_f64(make_sigmas(s, name, n)));
  for (const std::string name : c.json().at("outputs")) {
    if (!name.starts_with("beta_comfy_")) continue;
    const auto [a, b] = name_parameters(name, 11);
    c.expect(name, vector_f64(make_sigmas(s, "beta", n, {.alpha = a, .beta = b})));
  }
  const auto levels = host_f64(c.input("query_sigma"));
  c.expect("sigma_to_t", convert(levels, [&](double x) { return s.sigma_to_t(x); }));
  c.expect("sigma_to_t_quantized",
           convert(levels, [&](double x) { return static_cast<double>(s.nearest_t(x)); }).to(at::kLong));
  c.expect("t_to_sigma", convert(host_f64(c.input("query_t")), [&](double x) { return s.t_to_sigma(x); }));
  c.expect("vdenoiser_sigma_to_t", convert(levels, sigma_to_angle));
  c.expect("vdenoiser_t_to_sigma", convert(host_f64(c.input("query_t_v")), angle_to_sigma));
}

void run_ddim_timesteps(Case& c) {
  for (const std::string method : c.config().at("methods")) {
    for (const int64_t n : c.config().at("S")) {
      const auto name = method + "." + std::to_string(n);
      c.expect(name, vector_i64(timesteps_original(method, n, c.config().at("T"))));
    }
  }
}

void run_diffusers_timesteps(Case& c) {
  const auto& o = c.config();
  for (const int64_t n : o.at("S")) {
    const auto t = timesteps_diffusers(o.at("timestep_spacing").get<std::string>(), n, o.at("T"),
                                       o.value("steps_offset", 0));
    c.expect("timesteps." + std::to_string(n), vector_i64(t));
  }
}

// The original's DDIM tables, from the levels that our samplers use.
void run_ddim_tables(Case& c) {
  const auto s = case_schedule(c);
  for (const int64_t n : c.config().at("S")) {
    const auto size = "." + std::to_string(n);
    const auto t = timesteps_original("uniform", n, s.timesteps());
    std::vector<double> a, previous{s.alphas_cumprod[0]};
    for (const int64_t at : t) a.push_back(s.alphas_cumprod[static_cast<size_t>(at)]);
    previous.insert(previous.end(), a.begin(), a.end() - 1);
    c.expect("timesteps" + size, vector_i64(t));
    c.expect("alphas" + size, vector_f64(a));
    c.expect("alphas_prev" + size, vector_f64(previous));
    c.expect("sqrt_one_minus_alphas" + size, (1 - vector_f64(a)).sqrt());
    for (const auto& eta : c.config().at("eta")) {
      std::vector<double> up;
      for (size_t i = 0; i < t.size(); ++i) {
        const double from = std::sqrt((1 - a[i]) / a[i]), to = std::sqrt((1 - previous[i]) / previous[i]);
        up.push_back(ancestral_step(from, to, eta).up * std::sqrt(previous[i]));
      }
      c.expect("sigmas" + size + "." + eta.dump(), vector_f64(up));
    }
  }
}

void add_schedule_kinds(KindTable& kinds) {
  kinds.add("schedule", run_schedule);
  kinds.add("schedule_ztsnr", run_schedule_ztsnr);
  kinds.add("sigmas", run_sigmas);
  kinds.add("sigmas_edm", run_sigmas_edm);
  kinds.add("sigmas_ays", run_sigmas_ays);
  kinds.add("sigmas_flow", run_sigmas_flow);
  kinds.add("sigmas_flow_dynamic", run_sigmas_flow_dynamic);
  kinds.add("schedule_diffusers", run_schedule_diffusers);
  kinds.add("sigmas_discrete", run_sigmas_discrete);
  kinds.add("ddim_timesteps", run_ddim_timesteps);
  kinds.add("ddim_tables", run_ddim_tables);
  kinds.add("diffusers_timesteps", run_diffusers_timesteps);
}
const RegisterKinds kDiffusionScheduleRegistered(add_schedule_kinds);

}  // namespace
}  // namespace ldm::golden
