#include "ldm/diffusion/spacing.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ldm/core/error.h"
#include "ldm/core/names.h"

namespace ldm {
namespace {

using Levels = std::vector<double>;

// The levels of integer timesteps; infinite where no signal is left.
Levels levels_at(const NoiseSchedule& schedule, const std::vector<int64_t>& descending) {
  Levels out;
  for (const int64_t t : descending) {
    const bool pure = schedule.alphas_cumprod[static_cast<size_t>(t)] == 0;
    out.push_back(pure ? std::numeric_limits<double>::infinity() : schedule.sigma(t));
  }
  return out;
}

std::vector<int64_t> reversed(std::vector<int64_t> values) {
  std::reverse(values.begin(), values.end());
  return values;
}

// Levels at n equal steps of fractional t from T-1 on; `parts` of them would reach 0.
Levels levels_over_t(const NoiseSchedule& schedule, int64_t n, int64_t parts) {
  Levels out;
  const auto last = static_cast<double>(schedule.timesteps() - 1);
  for (int64_t i = 0; i < n; ++i) {
    const double r = parts == 0 ? 0.0 : static_cast<double>(i) / static_cast<double>(parts);
    out.push_back(schedule.t_to_sigma(last * (1 - r)));
  }
  out.push_back(0.0);
  return out;
}

std::vector<int64_t> checked_original(int64_t n, int64_t timesteps) {
  auto out = timesteps_original("uniform", n, timesteps);
  check(out.back() < timesteps, "spacing original: ", n, " steps reach past the schedule's last timestep ",
        timesteps - 1, ", where the original raises too; hint: spacing uniform takes any number of steps");
  return out;
}

struct NamedSpacing {
  SpacingInfo info;
  Levels (*levels)(const NoiseSchedule&, int64_t n, const SpacingOptions&);
  bool ends = true;  // The levels have a final one, whose place make_sigmas fills.
};

using Table = const NoiseSchedule&;
using Extra = const SpacingOptions&;

// To add a spacing: a function here or in sigma_tables.h, and a row.
const std::vector<NamedSpacing> kSpacingTable = {
    {{"uniform", {}, "the original's DDIM timesteps, always exactly n"},
     [](Table s, int64_t n, Extra) { return levels_at(s, reversed(timesteps_uniform(n, s.timesteps()))); },
     false},
    {{"quad", {}, "the original's, denser near 0, always exactly n"},
     [](Table s, int64_t n, Extra) { return levels_at(s, reversed(timesteps_quad(n, s.timesteps()))); },
     false},
    {{"original", {}, "the original's uniform to the letter; the number of steps may differ from n"},
     [](Table s, int64_t n, Extra) { return levels_at(s, reversed(checked_original(n, s.timesteps()))); },
     false},
    {{"linspace", {"discrete", "default"}, "equal steps in fractional t (k-diffusion, web UIs)"},
     [](Table s, int64_t n, Extra) { return sigmas_linspace(s, n); }},
    {{"normal", {}, "the same by way of sigma (ComfyUI)"},
     [](Table s, int64_t n, Extra) { return sigmas_linspace(s, n); }},
    {{"sgm_uniform", {}, "the same with one step more, which is left out"},
     [](Table s, int64_t n, Extra) { return sigmas_sgm_uniform(s, n); }},
    {{"simple", {}, "every (T / n)-th table entry (ComfyUI)"},
     [](Table s, int64_t n, Extra) { return sigmas_simple(s, n); }},
    {{"ddim_uniform", {}, "every (T / n)-th from the second on (ComfyUI); not always n"},
     [](Table s, int64_t n, Extra) { return sigmas_ddim_uniform(s, n); }},
    {{"leading", {}, "diffusers' integer timesteps, with Stable Diffusion's offset of 1"},
     [](Table s, int64_t n, Extra) {
       return levels_at(s, timesteps_diffusers("leading", n, s.timesteps(), n == s.timesteps() ? 0 : 1));
     },
     false},
    {{"trailing", {}, "diffusers' integer timesteps from the last one on"},
     [](Table s, int64_t n, Extra) {
       return levels_at(s, timesteps_diffusers("trailing", n, s.timesteps()));
     },
     false},
    {{"lcm", {}, "n of the 50 timesteps that LCM and TCD are trained at"},
     [](Table s, int64_t n, Extra) {
       return levels_at(
           s, timesteps_lcm(n, s.timesteps(), std::min<int64_t>(s.timesteps(), std::max<int64_t>(50, n))));
     },
     false},
    {{"karras", {}, "equal steps in sigma^(1/rho), rho 7"},
     [](Table s, int64_t n, Extra o) {
       return sigmas_karras(n, s.sigma_min(), s.sigma_max(), o.rho > 0 ? o.rho : 7.0);
     }},
    {{"exponential", {"logsnr"}, "equal steps in log sigma"},
     [](Table s, int64_t n, Extra) { return sigmas_exponential(n, s.sigma_min(), s.sigma_max()); }},
    {{"polyexponential", {}, "log sigma follows the rho-th power, rho 1"},
     [](Table s, int64_t n, Extra o) {
       return sigmas_polyexponential(n, s.sigma_min(), s.sigma_max(), o.rho > 0 ? o.rho : 1.0);
     }},
    {{"vp", {}, "the continuous variance-preserving SDE; knows no schedule"},
     [](Table, int64_t n, Extra) { return sigmas_vp(n); }},
    {{"kl_optimal", {}, "equal steps in atan sigma"},
     [](Table s, int64_t n, Extra) { return sigmas_kl_optimal(n, s.sigma_min(), s.sigma_max()); }},
    {{"beta",
      {},
      "table entries at the quantiles of Beta(alpha, beta) (ComfyUI); fewer than n where they repeat"},
     [](Table s, int64_t n, Extra o) { return sigmas_beta_timesteps(s, n, o.alpha, o.beta); }},
    {{"beta_sigma", {}, "sigmas at the quantiles of Beta(alpha, beta) (A1111)"},
     [](Table s, int64_t n, Extra o) {
       return sigmas_beta(n, s.sigma_min(), s.sigma_max(), o.alpha, o.beta);
     }},
    {{"align_your_steps", {"ays", "ays_sd15"}, "the table published for Stable Diffusion 1.5"},
     [](Table, int64_t n, Extra) { return sigmas_align_your_steps("sd15", n); }},
    {{"align_your_steps_sdxl", {"ays_sdxl"}, "the table published for SDXL"},
     [](Table, int64_t n, Extra) { return sigmas_align_your_steps("sdxl", n); }},
    {{"time_uniform", {}, "DPM-Solver's: equal steps in continuous time"},
     [](Table s, int64_t n, Extra) { return sigmas_dpm_time(s, "time_uniform", n); }},
    {{"time_quadratic", {}, "DPM-Solver's: equal steps in its square root"},
     [](Table s, int64_t n, Extra) { return sigmas_dpm_time(s, "time_quadratic", n); }},
};

const NamedSpacing& find_spacing(std::string_view name) {
  std::vector<std::string> names;
  for (const auto& row : kSpacingTable) {
    const auto& aliases = row.info.aliases;
    if (row.info.name == name || std::find(aliases.begin(), aliases.end(), name) != aliases.end()) return row;
    names.push_back(row.info.name);
  }
  fail(ErrorKind::kUsage, "spacing: expected one of ", join_names(names), ", got '", name, "'",
       nearest_hint(name, names));
}

double log_alpha(const NoiseSchedule& schedule, int64_t i) {
  return 0.5 * std::log(schedule.alphas_cumprod[static_cast<size_t>(i)]);
}

}  // namespace

Levels sigmas_linspace(const NoiseSchedule& schedule, int64_t n) { return levels_over_t(schedule, n, n - 1); }
Levels sigmas_sgm_uniform(const NoiseSchedule& schedule, int64_t n) { return levels_over_t(schedule, n, n); }

Levels sigmas_simple(const NoiseSchedule& schedule, int64_t n) {
  Levels out;
  const int64_t count = schedule.timesteps();
  const double stride = static_cast<double>(count) / static_cast<double>(n);
  for (int64_t i = 0; i < n; ++i)
    out.push_back(schedule.sigma(count - 1 - static_cast<int64_t>(static_cast<double>(i) * stride)));
  out.push_back(0.0);
  return out;
}

Levels sigmas_ddim_uniform(const NoiseSchedule& schedule, int64_t n) {
  Levels out;
  const int64_t stride = std::max<int64_t>(schedule.timesteps() / n, 1);
  for (int64_t t = 1; t < schedule.timesteps(); t += stride) out.insert(out.begin(), schedule.sigma(t));
  out.push_back(0.0);
  return out;
}

Levels sigmas_beta_timesteps(const NoiseSchedule& schedule, int64_t n, double a, double b) {
  Levels out;
  int64_t previous = -1;
  const auto last = static_cast<double>(schedule.timesteps() - 1);
  for (int64_t i = 0; i < n; ++i) {
    const double p = 1 - static_cast<double>(i) / static_cast<double>(n);
    const auto t = static_cast<int64_t>(std::nearbyint(beta_quantile(p, a, b) * last));
    if (t != previous) out.push_back(schedule.sigma(t));
    previous = t;
  }
  out.push_back(0.0);
  return out;
}

double dpm_time_to_sigma(const NoiseSchedule& schedule, double t) {
  const auto count = static_cast<double>(schedule.timesteps());
  const double at = std::clamp(t * count - 1, 0.0, count - 1);
  const auto low = static_cast<int64_t>(std::min(std::floor(at), count - 2));
  const double w = at - static_cast<double>(low);
  const double value = (1 - w) * log_alpha(schedule, low) + w * log_alpha(schedule, low + 1);
  return std::sqrt(std::expm1(-2 * value));
}

double sigma_to_dpm_time(const NoiseSchedule& schedule, double sigma) {
  const double value = -0.5 * std::log1p(sigma * sigma);
  const auto& table = schedule.sigmas;
  const auto above = std::upper_bound(table.begin(), table.end(), sigma) - table.begin();
  const auto low = std::clamp<int64_t>(above - 1, 0, schedule.timesteps() - 2);
  const double from = log_alpha(schedule, low), to = log_alpha(schedule, low + 1);
  const double w = std::clamp((value - from) / (to - from), 0.0, 1.0);
  return (static_cast<double>(low) + w + 1) / static_cast<double>(schedule.timesteps());
}

Levels sigmas_dpm_time(const NoiseSchedule& schedule, std::string_view skip, int64_t n) {
  check(skip == "time_uniform" || skip == "time_quadratic",
        "sigmas_dpm_time: expected time_uniform or time_quadratic, got '", skip, "'");
  check(n >= 1, "sigmas_dpm_time: expected at least 1 step, got ", n);
  const double power = skip == "time_quadratic" ? 2.0 : 1.0;
  const double first = 1.0, last = std::pow(1 / static_cast<double>(schedule.timesteps()), 1 / power);
  Levels out;
  for (int64_t i = 0; i <= n; ++i) {
    const double r = static_cast<double>(i) / static_cast<double>(n);
    out.push_back(dpm_time_to_sigma(schedule, std::pow(first + r * (last - first), power)));
  }
  return out;
}

const std::vector<SpacingInfo>& spacings() {
  static const auto kInfos = [] {
    std::vector<SpacingInfo> out;
    for (const auto& row : kSpacingTable) out.push_back(row.info);
    return out;
  }();
  return kInfos;
}

Levels make_sigmas(const NoiseSchedule& schedule, std::string_view spacing, int64_t n,
                   const SpacingOptions& options) {
  const auto& row = find_spacing(spacing);
  check(n >= 1 && n <= schedule.timesteps(), "steps: expected 1 to ", schedule.timesteps(), " steps, got ",
        n);
  auto out = row.levels(schedule, n, options);
  if (row.ends) out.pop_back();
  out.push_back(options.last < out.back() ? options.last : 0.0);
  return out;
}

}  // namespace ldm
