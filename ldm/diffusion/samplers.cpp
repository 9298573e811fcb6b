#include "ldm/diffusion/samplers.h"

#include <cctype>
#include <cmath>
#include <optional>

#include "ldm/core/error.h"
#include "ldm/core/names.h"
#include "ldm/diffusion/cfgpp.h"
#include "ldm/diffusion/ddim.h"
#include "ldm/diffusion/ddpm.h"
#include "ldm/diffusion/deis.h"
#include "ldm/diffusion/dpm2.h"
#include "ldm/diffusion/dpm2_a.h"
#include "ldm/diffusion/dpm_adaptive.h"
#include "ldm/diffusion/dpm_fast.h"
#include "ldm/diffusion/dpm_solver.h"
#include "ldm/diffusion/dpmpp_2m.h"
#include "ldm/diffusion/dpmpp_2m_sde.h"
#include "ldm/diffusion/dpmpp_2s_a.h"
#include "ldm/diffusion/dpmpp_3m_sde.h"
#include "ldm/diffusion/dpmpp_sde.h"
#include "ldm/diffusion/euler.h"
#include "ldm/diffusion/euler_a.h"
#include "ldm/diffusion/euler_diffusers.h"
#include "ldm/diffusion/heun.h"
#include "ldm/diffusion/ipndm.h"
#include "ldm/diffusion/lcm.h"
#include "ldm/diffusion/lms.h"
#include "ldm/diffusion/plms.h"
#include "ldm/diffusion/pndm.h"
#include "ldm/diffusion/restart.h"
#include "ldm/diffusion/tcd.h"
#include "ldm/diffusion/unipc.h"

namespace ldm {
namespace {

using Sigmas = std::vector<double>;
using D = const Denoiser&;
using G = const GuidedDenoiser&;
using X = torch::Tensor;
using L = const Sigmas&;
using R = const SamplerRun&;
using O = const SampleOptions&;
using S = const NoiseSchedule&;

ChurnOptions churn_of(O o, const ChurnOptions& own = {}) {
  return {o.s_churn.value_or(own.s_churn), o.s_tmin.value_or(own.s_tmin), o.s_tmax.value_or(own.s_tmax),
          o.s_noise.value_or(own.s_noise), o.draw_when_needed};
}

EulerAncestralOptions ancestral_of(O o) { return {o.eta.value_or(1.0), o.s_noise.value_or(1.0)}; }
DpmppSdeOptions sde_of(O o) { return {o.eta.value_or(1.0), o.s_noise.value_or(1.0)}; }
SolverForm form_of(O o) { return o.predict_noise ? SolverForm::kNoise : SolverForm::kData; }

// "midpoint" or "heun" (also "taylor", its name in stable-diffusion).
SlopeRule rule_of(O o) {
  check(o.solver_type.empty() || o.solver_type == "midpoint" || o.solver_type == "heun" ||
            o.solver_type == "taylor",
        "solver_type: expected midpoint or heun, got '", o.solver_type, "'");
  return o.solver_type.empty() || o.solver_type == "midpoint" ? SlopeRule::kMidpoint : SlopeRule::kExact;
}

DpmSolverOptions dpm_solver_of(O o) {
  return {.order = o.order.value_or(2),
          .form = form_of(o),
          .rule = rule_of(o),
          .lower_order_final = o.lower_order_final.value_or(true),
          .eta = o.eta.value_or(0.0),
          .s_noise = o.s_noise.value_or(1.0)};
}

UniPcOptions unipc_of(O o) {
  check(o.solver_type.empty() || o.solver_type == "bh1" || o.solver_type == "bh2",
        "solver_type: expected bh1 or bh2, got '", o.solver_type, "'");
  return {.order = o.order.value_or(2),
          .bh1 = o.solver_type == "bh1",
          .form = form_of(o),
          .lower_order_final = o.lower_order_final.value_or(true)};
}

RestartOptions restart_of(O o, L sigmas) {
  const auto steps = static_cast<int64_t>(sigmas.size()) - 1;
  RestartSegment segment{o.restart_min, o.restart_max, o.restart_steps, o.restart_times};
  if (segment.steps == 0) segment.steps = std::max<int64_t>(2, steps / 4);
  return {.segments = {segment}, .s_noise = o.s_noise.value_or(1.0)};
}

X run_ddim(D d, X x, L l, R r, O o, S) {
  return sample_ddim(
      d, std::move(x), l, r,
      {.eta = o.eta.value_or(0.0), .temperature = o.temperature, .clip = o.clip_denoised ? 1.0 : 0.0});
}
X run_ddpm(D d, X x, L l, R r, O o, S) {
  return sample_ddpm(d, std::move(x), l, r, {o.v_posterior, o.clip_denoised, o.temperature});
}
X run_adaptive(D d, X x, L l, R r, O o, S) {
  return sample_dpm_adaptive(d, std::move(x), l, r,
                             {.order = o.order.value_or(3),
                              .rtol = o.rtol,
                              .atol = o.atol,
                              .eta = o.eta.value_or(0.0),
                              .s_noise = o.s_noise.value_or(1.0)});
}
X run_fast(D d, X x, L l, R r, O o, S) {
  return sample_dpm_fast(d, std::move(x), l, r,
                         {.eta = o.eta.value_or(0.0), .s_noise = o.s_noise.value_or(1.0)});
}
X run_edm(D d, X x, L l, R r, O o, S) {
  return sample_heun(d, std::move(x), l, r, churn_of(o, {40.0, 0.05, 50.0, 1.003}));
}
X run_lcm(D d, X x, L l, R r, O o, S s) {
  return sample_lcm(lcm_denoiser(d, s), std::move(x), l, r, o.s_noise.value_or(1.0));
}

// To add a sampler: its file, a row here, a test.
const std::vector<SamplerInfo> kSamplerTable = {
    {.name = "ddim",
     .summary = "the original's default; deterministic at eta 0",
     .spacing = "uniform",
     .end = SamplerEnd::kOriginal,
     .run = run_ddim},
    {.name = "plms",
     .summary = "linear multistep of the original",
     .spacing = "uniform",
     .end = SamplerEnd::kOriginal,
     .order = 2,
     .run = [](D d, X x, L l, R r, O, S) { return sample_plms(d, std::move(x), l, r); }},
    {.name = "pndm",
     .aliases = {"f_pndm"},
     .summary = "plms that begins with Runge-Kutta: 9 model calls more than steps",
     .spacing = "uniform",
     .end = SamplerEnd::kOriginal,
     .calls_per_step = 4,
     .order = 2,
     .run = [](D d, X x, L l, R r, O, S s) { return sample_pndm(d, std::move(x), l, r, s); }},
    {.name = "ddpm",
     .aliases = {"ancestral"},
     .summary = "ancestral sampling; meant for many steps",
     .spacing = "uniform",
     .end = SamplerEnd::kOriginal,
     .stochastic = true,
     .order = 0,
     .run = run_ddpm},
    {.name = "dpm_solver",
     .aliases = {"dpm_solver_multistep", "dpmsolver", "dpmpp_3m"},
     .summary = "DPM-Solver++ as multistep; order, solver_type, predict_noise, eta",
     .order = 2,
     .run = [](D d, X x, L l, R r, O o,
               S) { return sample_dpm_solver(d, std::move(x), l, r, dpm_solver_of(o)); }},
    {.name = "dpm_solver_singlestep",
     .aliases = {"dpmpp_2s", "dpmsolver_singlestep"},
     .summary = "the same as singlestep; steps counts model calls",
     .order = 2,
     .run = [](D d, X x, L l, R r, O o,
               S) { return sample_dpm_solver_singlestep(d, std::move(x), l, r, dpm_solver_of(o)); }},
    {.name = "dpmpp_2m",
     .aliases = {"dpm++ 2m", "k_dpmpp_2m", "dpmsolver++"},
     .summary = "second order multistep; good from 15 steps",
     .order = 2,
     .run = [](D d, X x, L l, R r, O, S) { return sample_dpmpp_2m(d, std::move(x), l, r); }},
    {.name = "dpmpp_2s_a",
     .aliases = {"dpm++ 2s a", "dpmpp_2s_ancestral", "k_dpmpp_2s_a"},
     .summary = "second order singlestep with fresh noise",
     .stochastic = true,
     .calls_per_step = 2,
     .order = 2,
     .run = [](D d, X x, L l, R r, O o, S) { return sample_dpmpp_2s_a(d, std::move(x), l, r, sde_of(o)); }},
    {.name = "dpmpp_sde",
     .aliases = {"dpm++ sde", "k_dpmpp_sde"},
     .summary = "SDE solver, singlestep; good from 10 steps",
     .stochastic = true,
     .calls_per_step = 2,
     .order = 2,
     .run = [](D d, X x, L l, R r, O o,
               S) { return sample_dpmpp_sde(d, std::move(x), l, r, sde_of(o), o.r); }},
    {.name = "dpmpp_2m_sde",
     .aliases = {"dpm++ 2m sde", "k_dpmpp_2m_sde"},
     .summary = "SDE solver, second order multistep; solver_type",
     .spacing = "exponential",
     .stochastic = true,
     .order = 2,
     .run = [](D d, X x, L l, R r, O o,
               S) { return sample_dpmpp_2m_sde(d, std::move(x), l, r, sde_of(o), rule_of(o)); }},
    {.name = "dpmpp_2m_sde_heun",
     .aliases = {"dpm++ 2m sde heun"},
     .summary = "the same with solver_type heun",
     .spacing = "exponential",
     .stochastic = true,
     .order = 2,
     .run = [](D d, X x, L l, R r, O o,
               S) { return sample_dpmpp_2m_sde(d, std::move(x), l, r, sde_of(o), SlopeRule::kExact); }},
    {.name = "dpmpp_3m_sde",
     .aliases = {"dpm++ 3m sde", "k_dpmpp_3m_sde"},
     .summary = "SDE solver, third order multistep; wants 20 steps or more",
     .spacing = "exponential",
     .stochastic = true,
     .order = 3,
     .run = [](D d, X x, L l, R r, O o, S) { return sample_dpmpp_3m_sde(d, std::move(x), l, r, sde_of(o)); }},
    {.name = "euler",
     .aliases = {"k_euler"},
     .summary = "first order; with s_churn stochastic",
     .spacing = "linspace",
     .run = [](D d, X x, L l, R r, O o, S) { return sample_euler(d, std::move(x), l, r, churn_of(o)); }},
    {.name = "euler_a",
     .aliases = {"euler ancestral", "k_euler_a", "k_euler_ancestral"},
     .summary = "first order with fresh noise at every step",
     .spacing = "linspace",
     .stochastic = true,
     .run = [](D d, X x, L l, R r, O o,
               S) { return sample_euler_a(d, std::move(x), l, r, ancestral_of(o)); }},
    {.name = "euler_diffusers",
     .aliases = {"eulerdiscretescheduler", "edmeulerscheduler"},
     .summary = "euler whose churn is that of diffusers",
     .spacing = "linspace",
     .run = [](D d, X x, L l, R r, O o,
               S) { return sample_euler_diffusers(d, std::move(x), l, r, churn_of(o), o.scaling); }},
    {.name = "heun",
     .aliases = {"k_heun"},
     .summary = "second order, two model calls a step",
     .calls_per_step = 2,
     .order = 2,
     .run = [](D d, X x, L l, R r, O o, S) { return sample_heun(d, std::move(x), l, r, churn_of(o)); }},
    {.name = "edm",
     .aliases = {"edm_stochastic", "edm heun"},
     .summary = "heun with the churn of Karras et al. 2022 for ImageNet",
     .stochastic = true,
     .calls_per_step = 2,
     .order = 2,
     .run = run_edm},
    {.name = "dpm2",
     .aliases = {"dpm_2", "k_dpm_2"},
     .summary = "second order midpoint, two model calls a step",
     .calls_per_step = 2,
     .order = 2,
     .run = [](D d, X x, L l, R r, O o, S) { return sample_dpm2(d, std::move(x), l, r, churn_of(o)); }},
    {.name = "dpm2_a",
     .aliases = {"dpm2 ancestral", "dpm_2_ancestral", "dpm_2_a", "k_dpm_2_a"},
     .summary = "the same with fresh noise",
     .stochastic = true,
     .calls_per_step = 2,
     .order = 2,
     .run = [](D d, X x, L l, R r, O o, S) { return sample_dpm2_a(d, std::move(x), l, r, ancestral_of(o)); }},
    {.name = "lms",
     .aliases = {"k_lms"},
     .summary = "linear multistep in sigma, order 4",
     .spacing = "linspace",
     .order = 4,
     .run = [](D d, X x, L l, R r, O o,
               S) { return sample_lms(d, std::move(x), l, r, o.order.value_or(4)); }},
    {.name = "ipndm",
     .summary = "improved PNDM, order 4",
     .order = 2,
     .run = [](D d, X x, L l, R r, O o,
               S) { return sample_ipndm(d, std::move(x), l, r, o.order.value_or(4)); }},
    {.name = "deis",
     .summary = "exponential integrator of the noise estimate, order 3",
     .order = 3,
     .run =
         [](D d, X x, L l, R r, O o, S) {
           return sample_deis(d, std::move(x), l, r,
                              {o.order.value_or(3), o.lower_order_final.value_or(true)});
         }},
    {.name = "unipc",
     .aliases = {"uni_pc", "unipc_bh2", "uni_pc_bh2"},
     .summary = "predictor-corrector at one model call a step; order, solver_type",
     .order = 3,
     .run = [](D d, X x, L l, R r, O o, S) { return sample_unipc(d, std::move(x), l, r, unipc_of(o)); }},
    {.name = "dpm_fast",
     .aliases = {"k_dpm_fast"},
     .summary = "DPM-Solver with exactly `steps` model calls",
     .end = SamplerEnd::kLowest,
     .order = 3,
     .run = run_fast},
    {.name = "dpm_adaptive",
     .aliases = {"k_dpm_ad", "k_dpm_adaptive"},
     .summary = "DPM-Solver that chooses its steps; rtol, atol",
     .end = SamplerEnd::kLowest,
     .order = 3,
     .run = run_adaptive},
    {.name = "lcm",
     .summary = "for latent consistency models, 1 to 8 steps",
     .spacing = "lcm",
     .stochastic = true,
     .order = 0,
     .run = run_lcm},
    {.name = "tcd",
     .summary = "for trajectory consistency models; eta is their gamma",
     .spacing = "lcm",
     .end = SamplerEnd::kOriginal,
     .stochastic = true,
     .order = 0,
     .run = [](D d, X x, L l, R r, O o,
               S s) { return sample_tcd(d, std::move(x), l, r, s, o.eta.value_or(0.3)); }},
    {.name = "restart",
     .summary = "heun that goes back up and down again at restart_min",
     .stochastic = true,
     .calls_per_step = 2,
     .order = 2,
     .run = [](D d, X x, L l, R r, O o,
               S) { return sample_restart(d, std::move(x), l, r, restart_of(o, l)); }},
    {.name = "euler_cfgpp",
     .aliases = {"euler_cfg_pp", "euler cfg++"},
     .summary = "euler with CFG++; a guidance of 0 to 1",
     .spacing = "linspace",
     .run_guided = [](G d, X x, L l, R r, O) { return sample_euler_cfgpp(d, std::move(x), l, r); }},
    {.name = "euler_a_cfgpp",
     .aliases = {"euler_ancestral_cfg_pp", "euler a cfg++"},
     .summary = "the same with fresh noise",
     .spacing = "linspace",
     .stochastic = true,
     .run_guided = [](G d, X x, L l, R r,
                      O o) { return sample_euler_a_cfgpp(d, std::move(x), l, r, ancestral_of(o)); }},
    {.name = "dpmpp_2m_cfgpp",
     .aliases = {"dpmpp_2m_cfg_pp", "dpm++ 2m cfg++"},
     .summary = "dpmpp_2m with CFG++",
     .order = 2,
     .run_guided = [](G d, X x, L l, R r, O) { return sample_dpmpp_2m_cfgpp(d, std::move(x), l, r); }},
};

std::string plain(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == ' ' || c == '-' || c == '_') continue;
    out += c == '+' ? 'p' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return out.starts_with("sample") ? out.substr(6) : out;
}

// Looks at each number among the options.
struct FiniteNumbers {
  template <typename Value>
  void operator()(const char*, const Value&, const char*) const {}
  void operator()(const char* name, const double& value, const char*) const {
    check(std::isfinite(value), name, ": expected a finite number, got ", value);
  }
  void operator()(const char* name, const std::optional<double>& value, const char* help) const {
    if (value) (*this)(name, *value, help);
  }
};

}  // namespace

void check_sample_options(const SampleOptions& options) {
  auto o = options;
  o.fields(FiniteNumbers());
  const auto from_zero = [](const char* name, double value) {
    check(value >= 0, name, ": expected a number from 0, got ", value);
  };
  from_zero("temperature", o.temperature);
  from_zero("eta", o.eta.value_or(0));
  from_zero("s_churn", o.s_churn.value_or(0));
  from_zero("s_noise", o.s_noise.value_or(0));
}

std::span<const SamplerInfo> samplers() { return kSamplerTable; }

const SamplerInfo& find_sampler(std::string_view name) {
  const auto wanted = plain(name);
  std::vector<std::string> names;
  for (const auto& info : kSamplerTable) {
    if (plain(info.name) == wanted) return info;
    for (const auto& alias : info.aliases) {
      if (plain(alias) == wanted) return info;
    }
    names.push_back(info.name);
  }
  fail(ErrorKind::kUsage, "sampler: expected one of ", join_names(names), ", got '", name, "'",
       nearest_hint(name, names));
}

}  // namespace ldm
