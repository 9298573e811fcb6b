#include "ldm/diffusion/samplers.h"

#include <cctype>
#include <cmath>

#include "ldm/core/error.h"
#include "ldm/core/names.h"
#include "ldm/diffusion/ddim.h"
#include "ldm/diffusion/ddpm.h"
#include "ldm/diffusion/dpmpp_2m.h"
#include "ldm/diffusion/euler.h"
#include "ldm/diffusion/euler_a.h"
#include "ldm/diffusion/heun.h"
#include "ldm/diffusion/plms.h"
#include "ldm/diffusion/spacing.h"

namespace ldm {
namespace {

using Sigmas = std::vector<double>;

ChurnOptions churn_of(const SampleOptions& o) { return {o.s_churn, o.s_tmin, o.s_tmax, o.s_noise}; }

torch::Tensor run_ddim(const Denoiser& d, torch::Tensor x, const Sigmas& s, const SamplerRun& r,
                       const SampleOptions& o) {
  return sample_ddim(d, std::move(x), s, r, {o.eta.value_or(0.0), o.temperature});
}
torch::Tensor run_plms(const Denoiser& d, torch::Tensor x, const Sigmas& s, const SamplerRun& r,
                       const SampleOptions&) {
  return sample_plms(d, std::move(x), s, r);
}
torch::Tensor run_ddpm(const Denoiser& d, torch::Tensor x, const Sigmas& s, const SamplerRun& r,
                       const SampleOptions& o) {
  return sample_ddpm(d, std::move(x), s, r, {o.v_posterior, o.clip_denoised, o.temperature});
}
torch::Tensor run_euler(const Denoiser& d, torch::Tensor x, const Sigmas& s, const SamplerRun& r,
                        const SampleOptions& o) {
  return sample_euler(d, std::move(x), s, r, churn_of(o));
}
torch::Tensor run_euler_a(const Denoiser& d, torch::Tensor x, const Sigmas& s, const SamplerRun& r,
                          const SampleOptions& o) {
  return sample_euler_a(d, std::move(x), s, r, {o.eta.value_or(1.0), o.s_noise});
}
torch::Tensor run_heun(const Denoiser& d, torch::Tensor x, const Sigmas& s, const SamplerRun& r,
                       const SampleOptions& o) {
  return sample_heun(d, std::move(x), s, r, churn_of(o));
}
torch::Tensor run_dpmpp_2m(const Denoiser& d, torch::Tensor x, const Sigmas& s, const SamplerRun& r,
                           const SampleOptions&) {
  return sample_dpmpp_2m(d, std::move(x), s, r);
}

// To add a sampler: its file, a row here, a test.
const std::vector<SamplerInfo>& table() {
  static const std::vector<SamplerInfo> kTable = {
      {"ddim", {}, "the original's default; deterministic at eta 0", "uniform", true, false, 1, run_ddim},
      {"plms", {"pndm"}, "linear multistep of the original", "uniform", true, false, 1, run_plms},
      {"ddpm", {"ancestral"}, "ancestral sampling; meant for many steps", "uniform", true, true, 1, run_ddpm},
      {"dpmpp_2m",
       {"dpm++ 2m", "k_dpmpp_2m", "dpmsolver++"},
       "second order multistep; good from 15 steps",
       "karras",
       false,
       false,
       1,
       run_dpmpp_2m},
      {"euler", {"k_euler"}, "first order; with s_churn stochastic", "linspace", false, false, 1, run_euler},
      {"euler_a",
       {"euler ancestral", "k_euler_a", "k_euler_ancestral"},
       "first order with fresh noise at every step",
       "linspace",
       false,
       true,
       1,
       run_euler_a},
      {"heun",
       {"k_heun", "edm"},
       "second order, two model calls a step",
       "karras",
       false,
       false,
       2,
       run_heun},
  };
  return kTable;
}

std::string plain(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == ' ' || c == '-' || c == '_') continue;
    out += c == '+' ? 'p' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return out;
}

}  // namespace

std::span<const SamplerInfo> samplers() { return table(); }

const SamplerInfo& find_sampler(std::string_view name) {
  const auto wanted = plain(name);
  std::vector<std::string> names;
  for (const auto& info : table()) {
    if (plain(info.name) == wanted) return info;
    for (const auto& alias : info.aliases) {
      if (plain(alias) == wanted) return info;
    }
    names.push_back(info.name);
  }
  fail(ErrorKind::kUsage, "sampler: expected one of ", join_names(names), ", got '", name, "'",
       nearest_hint(name, names));
}

std::vector<double> sampler_sigmas(const SamplerInfo& sampler, const NoiseSchedule& schedule,
                                   const SampleOptions& o) {
  const auto& spacing = o.spacing.empty() ? sampler.spacing : o.spacing;
  const bool originals = spacing == "uniform" || spacing == "quad" || spacing == "original";
  const bool ends_early = sampler.original && originals && sampler.name != "ddpm";
  return make_sigmas(schedule, spacing, o.steps, ends_early ? schedule.sigma_min() : 0.0, o.rho);
}

torch::Tensor sample(const SamplerInfo& sampler, const Denoiser& denoise, const NoiseSchedule& schedule,
                     const torch::Tensor& unit_noise, const SampleOptions& options, const SamplerRun& run) {
  const auto sigmas = sampler_sigmas(sampler, schedule, options);
  const double first = sigmas.front();
  const double scale = sampler.original ? std::sqrt(1 + first * first) : first;
  const auto x = sampler.run(denoise, unit_noise * scale, sigmas, run, options);
  // Back to the variance-preserving state, which at level 0 is the clean one.
  const double last = run.stop.requested() ? 0.0 : sigmas.back();
  return last == 0.0 ? x : x / std::sqrt(1 + last * last);
}

}  // namespace ldm
