#include "ldm/diffusion/spacing.h"

#include <algorithm>
#include <cmath>

#include "ldm/core/error.h"
#include "ldm/core/names.h"

namespace ldm {
namespace {

// first .. last in n equal steps; n = 1 gives first.
double ramp(double first, double last, int64_t i, int64_t n) {
  if (n == 1) return first;
  return first + (last - first) * static_cast<double>(i) / static_cast<double>(n - 1);
}

void check_steps(const char* who, int64_t n, int64_t most) {
  check(n >= 1 && n <= most, who, ": expected 1 to ", most, " steps, got ", n);
}

void check_range(const char* who, int64_t n, double min, double max) {
  check(n >= 1, who, ": expected at least 1 step, got ", n);
  check(min > 0 && max > min, who, ": expected 0 < min < max, got ", min, " and ", max);
}

// int(linspace(0, sqrt(.8 T), n)^2), before the shift by one.
std::vector<int64_t> squares(int64_t n, int64_t timesteps) {
  const double last = std::sqrt(static_cast<double>(timesteps) * 0.8);
  const double step = n > 1 ? last / static_cast<double>(n - 1) : 0.0;
  std::vector<int64_t> out;
  for (int64_t i = 0; i < n; ++i) {
    const double root = n > 1 && i == n - 1 ? last : step * static_cast<double>(i);
    out.push_back(static_cast<int64_t>(root * root));
  }
  return out;
}

std::vector<double> levels_at(const NoiseSchedule& schedule, const std::vector<int64_t>& descending) {
  std::vector<double> out;
  for (const int64_t t : descending) out.push_back(schedule.sigma(t));
  return out;
}

std::vector<int64_t> reversed(std::vector<int64_t> values) {
  std::reverse(values.begin(), values.end());
  return values;
}

std::vector<double> levels_linspace(const NoiseSchedule& schedule, int64_t n) {
  std::vector<double> out;
  const auto last = static_cast<double>(schedule.timesteps() - 1);
  for (int64_t i = 0; i < n; ++i) out.push_back(schedule.t_to_sigma(ramp(last, 0.0, i, n)));
  return out;
}

std::vector<int64_t> checked_original(int64_t n, int64_t timesteps) {
  auto out = timesteps_original("uniform", n, timesteps);
  check(out.back() < timesteps, "spacing original: ", n, " steps reach past the schedule's last timestep ",
        timesteps - 1, ", where the original raises too; hint: spacing uniform takes any number of steps");
  return out;
}

}  // namespace

std::vector<double> sigmas_karras(int64_t n, double min, double max, double rho) {
  check_range("sigmas_karras", n, min, max);
  check(rho > 0, "sigmas_karras: expected rho above 0, got ", rho);
  std::vector<double> out;
  for (int64_t i = 0; i < n; ++i) {
    out.push_back(std::pow(ramp(std::pow(max, 1 / rho), std::pow(min, 1 / rho), i, n), rho));
  }
  out.push_back(0.0);
  return out;
}

std::vector<double> sigmas_exponential(int64_t n, double min, double max) {
  check_range("sigmas_exponential", n, min, max);
  std::vector<double> out;
  for (int64_t i = 0; i < n; ++i) out.push_back(std::exp(ramp(std::log(max), std::log(min), i, n)));
  out.push_back(0.0);
  return out;
}

std::vector<int64_t> timesteps_original(std::string_view method, int64_t n, int64_t timesteps) {
  check_steps("timesteps_original", n, timesteps);
  if (method == "quad") {
    auto out = squares(n, timesteps);
    for (auto& t : out) ++t;
    return out;
  }
  check(method == "uniform", "timesteps_original: expected uniform or quad, got '", method, "'");
  std::vector<int64_t> out;
  for (int64_t t = 0; t < timesteps; t += timesteps / n) out.push_back(t + 1);
  return out;
}

std::vector<int64_t> timesteps_uniform(int64_t n, int64_t timesteps) {
  check_steps("spacing uniform", n, timesteps);
  const int64_t shift = n == timesteps ? 0 : 1;  // All of them: there is no room for the original's shift.
  std::vector<int64_t> out;
  for (int64_t i = 0; i < n; ++i) out.push_back(i * timesteps / n + shift);
  return out;
}

std::vector<int64_t> timesteps_quad(int64_t n, int64_t timesteps) {
  check_steps("spacing quad", n, timesteps);
  auto out = squares(n, timesteps);
  // Push repetitions up until all differ, and back down where that runs past the end.
  int64_t least = 1;
  for (auto& t : out) {
    t = std::max(t + 1, least);
    least = t + 1;
  }
  int64_t most = timesteps - 1;
  for (auto t = out.rbegin(); t != out.rend(); ++t) {
    *t = std::min(*t, most);
    most = *t - 1;
  }
  return out;
}

std::vector<int64_t> timesteps_diffusers(std::string_view spacing, int64_t n, int64_t timesteps,
                                         int64_t offset) {
  check_steps("timesteps_diffusers", n, timesteps);
  const auto count = static_cast<double>(timesteps);
  std::vector<int64_t> out;
  for (int64_t i = 0; i < n; ++i) {
    if (spacing == "linspace") {
      // The step first, then the product: exact halves are decided by its rounding, as numpy's linspace does.
      const double step = n > 1 ? (count - 1) / static_cast<double>(n - 1) : 0.0;
      out.push_back(std::llrint(static_cast<double>(n - 1 - i) * step));
    } else if (spacing == "leading") {
      out.push_back((n - 1 - i) * (timesteps / n) + offset);
    } else if (spacing == "trailing") {
      out.push_back(std::llrint(count - static_cast<double>(i) * (count / static_cast<double>(n))) - 1);
    } else {
      fail(ErrorKind::kUsage, "timesteps_diffusers: expected linspace, leading or trailing, got '", spacing,
           "'");
    }
  }
  return out;
}

const std::vector<std::string>& spacing_names() {
  static const std::vector<std::string> kNames = {"uniform", "quad",     "original", "linspace",
                                                  "leading", "trailing", "karras",   "exponential"};
  return kNames;
}

std::vector<double> make_sigmas(const NoiseSchedule& schedule, std::string_view spacing, int64_t n,
                                double last, double rho) {
  const int64_t timesteps = schedule.timesteps();
  check_steps("steps", n, timesteps);
  std::vector<double> out;
  if (spacing == "uniform") {
    out = levels_at(schedule, reversed(timesteps_uniform(n, timesteps)));
  } else if (spacing == "quad") {
    out = levels_at(schedule, reversed(timesteps_quad(n, timesteps)));
  } else if (spacing == "original") {
    out = levels_at(schedule, reversed(checked_original(n, timesteps)));
  } else if (spacing == "linspace") {
    out = levels_linspace(schedule, n);
  } else if (spacing == "leading" || spacing == "trailing") {
    out = levels_at(schedule, timesteps_diffusers(spacing, n, timesteps, n == timesteps ? 0 : 1));
  } else if (spacing == "karras" || spacing == "exponential") {
    out = spacing == "karras" ? sigmas_karras(n, schedule.sigma_min(), schedule.sigma_max(), rho)
                              : sigmas_exponential(n, schedule.sigma_min(), schedule.sigma_max());
    out.pop_back();
  } else {
    fail(ErrorKind::kUsage, "spacing: expected one of ", join_names(spacing_names()), ", got '", spacing, "'",
         nearest_hint(spacing, spacing_names()));
  }
  out.push_back(last < out.back() ? last : 0.0);
  return out;
}

}  // namespace ldm
