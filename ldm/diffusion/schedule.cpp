#include "ldm/diffusion/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/core/names.h"

namespace ldm {
namespace {

// Stands for 0 (zero terminal SNR), so that sigma is finite.
constexpr double kFiniteAlphaCumprod = 0x1p-24;

std::vector<double> linspace(double first, double last, int64_t n) {
  std::vector<double> out(static_cast<size_t>(n));
  const double step = (last - first) / static_cast<double>(n - 1);
  for (int64_t i = 0; i < n; ++i) out[static_cast<size_t>(i)] = first + step * static_cast<double>(i);
  out.back() = last;
  return out;
}

std::vector<double> cosine_betas(int64_t timesteps, double s) {
  const auto alpha_bar = [&](int64_t i) {
    const double u = (static_cast<double>(i) / static_cast<double>(timesteps) + s) / (1 + s);
    const double c = std::cos(u * std::numbers::pi / 2);
    return c * c;
  };
  std::vector<double> out;
  for (int64_t i = 0; i < timesteps; ++i) {
    out.push_back(std::clamp(1 - alpha_bar(i + 1) / alpha_bar(i), 0.0, 0.999));
  }
  return out;
}

std::vector<double> cumulative_alphas(const std::vector<double>& betas) {
  std::vector<double> out;
  double product = 1.0;
  for (const double beta : betas) out.push_back(product *= 1 - beta);
  return out;
}

}  // namespace

std::vector<double> make_betas(const ScheduleOptions& o) {
  static const std::vector<std::string> kNames = {"linear", "sqrt_linear", "cosine", "sqrt"};
  check(std::find(kNames.begin(), kNames.end(), o.beta_schedule) != kNames.end(),
        "beta_schedule: expected one of ", join_names(kNames), ", got '", o.beta_schedule, "'",
        nearest_hint(o.beta_schedule, kNames));
  check(o.timesteps >= 2, "timesteps: expected at least 2, got ", o.timesteps);
  if (o.beta_schedule == "cosine") return cosine_betas(o.timesteps, o.cosine_s);
  check(o.linear_start > 0 && o.linear_end > 0, "linear_start and linear_end: expected above 0, got ",
        o.linear_start, " and ", o.linear_end);
  const bool linear = o.beta_schedule == "linear";
  auto betas = linear ? linspace(std::sqrt(o.linear_start), std::sqrt(o.linear_end), o.timesteps)
                      : linspace(o.linear_start, o.linear_end, o.timesteps);
  for (auto& beta : betas) {
    if (linear) beta = beta * beta;
    if (o.beta_schedule == "sqrt") beta = std::sqrt(beta);
  }
  return betas;
}

std::vector<double> rescale_zero_terminal_snr(const std::vector<double>& betas) {
  check(betas.size() >= 2, "rescale_zero_terminal_snr: expected at least 2 betas, got ", betas.size());
  auto cumulative = cumulative_alphas(betas);
  const double first = std::sqrt(cumulative.front());
  const double last = std::sqrt(cumulative.back());
  for (auto& ac : cumulative) {
    const double root = (std::sqrt(ac) - last) * first / (first - last);
    ac = root * root;
  }
  std::vector<double> out{1 - cumulative[0]};
  for (size_t i = 1; i < cumulative.size(); ++i) out.push_back(1 - cumulative[i] / cumulative[i - 1]);
  return out;
}

NoiseSchedule::NoiseSchedule(const ScheduleOptions& o)
    : NoiseSchedule(FromBetas{},
                    o.zero_terminal_snr ? rescale_zero_terminal_snr(make_betas(o)) : make_betas(o),
                    o.v_posterior) {}

NoiseSchedule NoiseSchedule::from_betas(std::vector<double> betas, double v_posterior) {
  return NoiseSchedule(FromBetas{}, std::move(betas), v_posterior);
}

NoiseSchedule::NoiseSchedule(FromBetas, std::vector<double> given, double v_posterior)
    : betas(std::move(given)) {
  check(betas.size() >= 2, "NoiseSchedule: expected at least 2 betas, got ", betas.size());
  for (const double beta : betas)
    check(beta > 0 && beta <= 1, "NoiseSchedule: expected betas in (0, 1], got ", beta);
  alphas_cumprod = cumulative_alphas(betas);
  double previous = 1.0;
  for (size_t t = 0; t < betas.size(); ++t) {
    const double beta = betas[t], ac = alphas_cumprod[t];
    const double variance = beta * (1 - previous) / (1 - ac);
    alphas_cumprod_prev.push_back(previous);
    posterior_variance.push_back((1 - v_posterior) * variance + v_posterior * beta);
    posterior_log_variance.push_back(std::log(std::max(posterior_variance.back(), 1e-20)));
    posterior_mean_coef1.push_back(beta * std::sqrt(previous) / (1 - ac));
    posterior_mean_coef2.push_back((1 - previous) * std::sqrt(1 - beta) / (1 - ac));
    const double finite = ac > 0 ? ac : kFiniteAlphaCumprod;
    const double level = std::sqrt((1 - finite) / finite);
    // The table must ascend even where the level before exceeds the finite stand-in for infinity.
    sigmas.push_back(sigmas.empty() || level > sigmas.back() ? level : sigmas.back() * 2);
    log_sigmas.push_back(std::log(sigmas.back()));
    previous = ac;
  }
}

double NoiseSchedule::t_to_sigma(double t) const {
  const double last = static_cast<double>(timesteps() - 1);
  const double at = std::clamp(t, 0.0, last);
  const auto low = static_cast<size_t>(std::min(std::floor(at), last - 1));
  const double w = at - static_cast<double>(low);
  return std::exp((1 - w) * log_sigmas[low] + w * log_sigmas[low + 1]);
}

double NoiseSchedule::sigma_to_t(double sigma) const {
  const double log_sigma = std::log(std::max(sigma, 1e-300));
  const auto above = std::upper_bound(log_sigmas.begin(), log_sigmas.end(), log_sigma) - log_sigmas.begin();
  const auto low = static_cast<size_t>(std::clamp<int64_t>(above - 1, 0, timesteps() - 2));
  const double w = (log_sigma - log_sigmas[low]) / (log_sigmas[low + 1] - log_sigmas[low]);
  return static_cast<double>(low) + std::clamp(w, 0.0, 1.0);
}

int64_t NoiseSchedule::nearest_t(double sigma) const {
  const double log_sigma = std::log(std::max(sigma, 1e-300));
  const auto above = std::lower_bound(log_sigmas.begin(), log_sigmas.end(), log_sigma) - log_sigmas.begin();
  const auto high = std::clamp<int64_t>(above, 1, timesteps() - 1);
  const double down = log_sigma - log_sigmas[static_cast<size_t>(high - 1)];
  const double up = log_sigmas[static_cast<size_t>(high)] - log_sigma;
  return down <= up ? high - 1 : high;
}

double sigma_to_angle(double sigma) { return std::atan(sigma) * 2 / std::numbers::pi; }
double angle_to_sigma(double angle) { return std::tan(angle * std::numbers::pi / 2); }

}  // namespace ldm
