#include "ldm/diffusion/sigma_tables.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "ldm/core/error.h"

namespace ldm {
namespace {

void check_range(const char* who, int64_t n, double min, double max) {
  check(n >= 1, who, ": expected at least 1 step, got ", n);
  const bool one = n == 1 && max == min;  // A single level is a range of its own.
  check(min > 0 && (max > min || one), who, ": expected 0 < min < max, got ", min, " and ", max);
}

// n values of f over a ramp from 0 to 1, then 0.
std::vector<double> over_ramp(int64_t n, const std::function<double(double)>& f) {
  std::vector<double> out;
  for (int64_t i = 0; i < n; ++i) {
    out.push_back(f(n == 1 ? 0.0 : static_cast<double>(i) / static_cast<double>(n - 1)));
  }
  out.push_back(0.0);
  return out;
}

// The continued fraction of the incomplete beta function (Lentz's method; DLMF 8.17.22).
double beta_fraction(double x, double a, double b) {
  constexpr double kTiny = 1e-300;
  const auto guard = [](double v) { return std::abs(v) < kTiny ? kTiny : v; };
  double c = 1, d = 1 / guard(1 - (a + b) * x / (a + 1)), product = d;
  for (int m = 1; m < 500; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / guard(1 + even * d);
    c = guard(1 + even / c);
    product *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / guard(1 + odd * d);
    c = guard(1 + odd / c);
    product *= d * c;
    if (std::abs(d * c - 1) < 1e-16) break;
  }
  return product;
}

// The distribution function at x; `y` is 1 - x, which near 1 says more.
double beta_distribution(double x, double y, double a, double b) {
  if (x <= 0) return 0.0;
  if (y <= 0) return 1.0;
  const double front =
      std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log(y));
  if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(x, a, b) / a;
  return 1 - front * beta_fraction(y, b, a) / b;
}

// By bisection, for p up to the distribution function at 0.5.
double beta_quantile_below_half(double p, double a, double b) {
  double low = 0.0, high = 0.5 + 1e-12;
  for (int pass = 0; pass < 2000 && high - low > 1e-17 * high; ++pass) {
    const double middle = (low + high) / 2;
    if (middle <= low || middle >= high) break;
    (beta_distribution(middle, 1 - middle, a, b) < p ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace

std::vector<double> sigmas_karras(int64_t n, double min, double max, double rho) {
  check_range("sigmas_karras", n, min, max);
  check(rho > 0, "sigmas_karras: expected rho above 0, got ", rho);
  const double high = std::pow(max, 1 / rho), low = std::pow(min, 1 / rho);
  return over_ramp(n, [&](double r) { return std::pow(high + r * (low - high), rho); });
}

std::vector<double> sigmas_exponential(int64_t n, double min, double max) {
  return sigmas_polyexponential(n, min, max, 1.0);
}

std::vector<double> sigmas_polyexponential(int64_t n, double min, double max, double rho) {
  check_range("sigmas_polyexponential", n, min, max);
  check(rho > 0, "sigmas_polyexponential: expected rho above 0, got ", rho);
  const double low = std::log(min), high = std::log(max);
  return over_ramp(n, [&](double r) { return std::exp(std::pow(1 - r, rho) * (high - low) + low); });
}

std::vector<double> sigmas_vp(int64_t n, double beta_d, double beta_min, double eps_s) {
  check(n >= 1, "sigmas_vp: expected at least 1 step, got ", n);
  check(beta_d > 0 && beta_min >= 0 && eps_s > 0 && eps_s < 1,
        "sigmas_vp: expected beta_d > 0, beta_min >= 0 and eps_s in (0, 1)");
  return over_ramp(n, [&](double r) {
    const double t = 1 + r * (eps_s - 1);
    return std::sqrt(std::expm1(beta_d * t * t / 2 + beta_min * t));
  });
}

std::vector<double> sigmas_kl_optimal(int64_t n, double min, double max) {
  check_range("sigmas_kl_optimal", n, min, max);
  const double low = std::atan(min), high = std::atan(max);
  return over_ramp(n, [&](double r) { return std::tan(r * low + (1 - r) * high); });
}

std::vector<double> sigmas_kl_optimal_a1111(int64_t n, double min, double max) {
  check_range("sigmas_kl_optimal", n, min, max);
  auto out = sigmas_kl_optimal(n + 1, min, max);
  out.pop_back();
  return out;
}

std::vector<double> sigmas_beta(int64_t n, double min, double max, double a, double b) {
  check_range("sigmas_beta", n, min, max);
  return over_ramp(n, [&](double r) { return min + (max - min) * beta_quantile(1 - r, a, b); });
}

const std::vector<double>& align_your_steps(std::string_view table) {
  static const std::vector<double> kSd15 = {14.615, 6.475, 3.861, 2.697, 1.886, 1.396,
                                            0.963,  0.652, 0.399, 0.152, 0.029};
  static const std::vector<double> kSdxl = {14.615, 6.315, 3.771, 2.181, 1.342, 0.862,
                                            0.555,  0.380, 0.234, 0.113, 0.029};
  if (table == "sd15") return kSd15;
  check(table == "sdxl", "align_your_steps: expected sd15 or sdxl, got '", table, "'");
  return kSdxl;
}

std::vector<double> sigmas_align_your_steps(std::string_view name, int64_t n) {
  const auto& table = align_your_steps(name);
  check(n >= 1, "align_your_steps: expected at least 1 step, got ", n);
  const auto last = static_cast<double>(table.size() - 1);
  return over_ramp(n, [&](double r) {
    const auto low = static_cast<size_t>(std::min(std::floor(r * last), last - 1));
    const double w = r * last - static_cast<double>(low);
    if (w == 0.0 || w == 1.0) return table[low + (w == 1.0 ? 1 : 0)];
    return std::exp((1 - w) * std::log(table[low]) + w * std::log(table[low + 1]));
  });
}

double beta_quantile(double p, double a, double b) {
  check(a > 0 && b > 0 && p >= 0 && p <= 1, "beta_quantile: expected a, b > 0 and p in [0, 1]");
  if (p == 0 || p == 1) return p;
  if (a == b && p == 0.5) return 0.5;  // Rounding to table entries must find it exactly in the middle.
  // Work at the end where the answer is not close to 1, so that it keeps its digits.
  if (p > beta_distribution(0.5, 0.5, a, b)) return 1 - beta_quantile_below_half(1 - p, b, a);
  return beta_quantile_below_half(p, a, b);
}

double shifted_flow_time(double s, double shift) { return shift * s / (1 + (shift - 1) * s); }

std::vector<double> flow_times(int64_t n, double shift) {
  check(n >= 1 && shift > 0, "flow_times: expected at least 1 step and a shift above 0");
  std::vector<double> out;
  for (int64_t i = 0; i <= n; ++i)
    out.push_back(shifted_flow_time(1 - static_cast<double>(i) / static_cast<double>(n), shift));
  return out;
}

std::vector<double> flow_times_diffusers(int64_t n, double shift, int64_t timesteps) {
  check(n >= 1 && shift > 0 && timesteps >= 1,
        "flow_times_diffusers: expected at least 1 step, a shift above 0 and at least 1 timestep");
  const double lowest = shifted_flow_time(1.0 / static_cast<double>(timesteps), shift);
  return over_ramp(n, [&](double r) { return shifted_flow_time(1 + r * (lowest - 1), shift); });
}

double exponential_flow_shift(double s, double mu) { return std::exp(mu) / (std::exp(mu) + (1 / s - 1)); }
double linear_flow_shift(double s, double mu) { return mu / (mu + (1 / s - 1)); }

double flow_sigma(double s) { return s >= 1 ? std::numeric_limits<double>::infinity() : s / (1 - s); }

}  // namespace ldm
