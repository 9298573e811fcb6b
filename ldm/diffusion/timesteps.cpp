#include "ldm/diffusion/timesteps.h"

#include <algorithm>
#include <cmath>

#include "ldm/core/error.h"

namespace ldm {
namespace {

void check_steps(const char* who, int64_t n, int64_t most) {
  check(n >= 1 && n <= most, who, ": expected 1 to ", most, " steps, got ", n);
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

}  // namespace

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

std::vector<int64_t> timesteps_lcm(int64_t n, int64_t timesteps, int64_t trained) {
  check(trained >= 1 && trained <= timesteps, "timesteps_lcm: expected 1 to ", timesteps,
        " trained timesteps, got ", trained);
  check_steps("timesteps_lcm", n, trained);
  std::vector<int64_t> out;
  for (int64_t i = 0; i < n; ++i) out.push_back((trained - i * trained / n) * (timesteps / trained) - 1);
  return out;
}

}  // namespace ldm
