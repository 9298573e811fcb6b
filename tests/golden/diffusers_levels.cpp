#include "tests/golden/diffusers_levels.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ldm/diffusion/spacing.h"

namespace ldm::golden {
namespace {

// n timesteps by the spacing's name, before sigmas of their own replace them.
std::vector<double> spaced_timesteps(const Case& c, int64_t n, int64_t count, bool rounds) {
  const auto spacing = c.config().value("timestep_spacing", "linspace");
  const int64_t offset = c.config().value("steps_offset", 0);
  std::vector<double> out;
  if (spacing == "trailing") {
    const auto t = timesteps_diffusers("trailing", n, count);
    out.assign(t.begin(), t.end());
  } else if (spacing == "leading") {
    // The solvers count the end as one more step.
    const int64_t stride = count / (rounds ? n + 1 : n);
    for (int64_t i = 0; i < n; ++i)
      out.push_back(static_cast<double>((rounds ? n - i : n - 1 - i) * stride + offset));
  } else if (spacing == "linspace") {
    const int64_t gaps = rounds ? n : n - 1;  // A single timestep without gaps is 0.
    const double step = gaps > 0 ? static_cast<double>(count - 1) / static_cast<double>(gaps) : 0.0;
    for (int64_t i = 0; i < n; ++i) {
      const double t = static_cast<double>(gaps - i) * step;
      out.push_back(rounds ? std::nearbyint(t) : t);
    }
  } else {
    c.skip(spacing);
  }
  return out;
}

// The table, interpolated linearly in sigma itself.
double interpolated(const NoiseSchedule& s, double t) {
  const auto low = static_cast<int64_t>(std::min(std::floor(t), static_cast<double>(s.timesteps() - 2)));
  const double w = t - static_cast<double>(low);
  return (1 - w) * s.sigma(low) + w * s.sigma(low + 1);
}

// Those of use_karras_sigmas and its like; empty without any.
std::vector<double> formula_sigmas(const Json& o, int64_t n, double low, double high) {
  std::vector<double> out;
  if (o.value("use_karras_sigmas", false)) {
    out = sigmas_karras(n, low, high);
  } else if (o.value("use_lu_lambdas", false) || o.value("use_exponential_sigmas", false)) {
    out = sigmas_exponential(n, low, high);
  } else if (o.value("use_beta_sigmas", false)) {
    out = sigmas_beta(n, low, high, 0.6, 0.6);
  }
  if (!out.empty()) out.pop_back();
  return out;
}

// The timesteps of formulas become whole numbers by rounding or, with some settings, by cutting.
bool rounds_formula(const Json& o, const DiffusersFamily& family) {
  const bool karras = o.value("use_karras_sigmas", false), lu = o.value("use_lu_lambdas", false);
  return (karras || lu) && !(family.cuts_cosine && o.value("beta_schedule", "") == "squaredcos_cap_v2");
}

}  // namespace

DiffusersLevels diffusers_levels(const Case& c, const NoiseSchedule& s, const DiffusersFamily& family) {
  const auto& o = c.config();
  const int64_t n = o.at("n");
  DiffusersLevels out{spaced_timesteps(c, n, s.timesteps(), family.rounds_timesteps), {}};
  for (const double t : out.timesteps) out.sigmas.push_back(interpolated(s, t));
  // Spacings by formula run between the ends of the table, with Euler between those of its own sigmas.
  const double high = family.rounds_timesteps ? s.sigma_max() : out.sigmas.front();
  const double low = family.rounds_timesteps ? s.sigma_min() : out.sigmas.back();
  auto spaced = formula_sigmas(o, n, low, high);
  const bool by_formula = !spaced.empty();
  if (by_formula) {
    constexpr double kRounding = 1e-9;  // What should be a whole number may be a little less here.
    out.sigmas = std::move(spaced);
    for (size_t i = 0; i < out.timesteps.size(); ++i) {
      const double t = s.sigma_to_t(out.sigmas[i]);
      out.timesteps[i] = !family.rounds_timesteps    ? t
                         : rounds_formula(o, family) ? std::nearbyint(t)
                                                     : std::trunc(t + kRounding);
    }
  }
  const auto last = o.value("final_sigmas_type", "zero");
  if (last != "zero" && last != "sigma_min") c.skip("final_sigmas_type:" + last);
  const double lowest = family.always_sigma_min && by_formula ? out.sigmas.back() : s.sigma_min();
  out.sigmas.push_back(family.always_sigma_min || last == "sigma_min" ? lowest : 0.0);
  return out;
}

void skip_unknown_keys(const Case& c, const std::vector<std::string>& known,
                       const std::vector<std::string>& step) {
  static const std::vector<std::string> kAll = {"class",       "n",     "beta_schedule",    "beta_start",
                                                "beta_end",    "step",  "set_timesteps",    "model_level",
                                                "noise_count", "dtype", "timestep_spacing", "prediction_type",
                                                "steps_offset"};
  const auto listed = [](const std::vector<std::string>& keys, const std::string& key) {
    return std::find(keys.begin(), keys.end(), key) != keys.end();
  };
  const auto skip = [&](const std::string& key) {
    c.skip(c.config().at("class").get<std::string>() + "/" + key);
  };
  for (const auto& item : c.config().items()) {
    if (!listed(kAll, item.key()) && !listed(known, item.key())) skip(item.key());
  }
  const Json given_step = c.config().value("step", Json::object());
  for (const auto& item : given_step.items()) {
    if (!listed(step, item.key())) skip("step." + item.key());
  }
  const Json given_timesteps = c.config().value("set_timesteps", Json::object());
  for (const auto& item : given_timesteps.items()) {
    if (!listed(known, "set_timesteps." + item.key())) skip("set_timesteps." + item.key());
  }
}

}  // namespace ldm::golden
