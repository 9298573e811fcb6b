#include "ldm/train/ema_profile.h"

#include <ATen/ops/linalg_solve_ex.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cmath>

#include "ldm/core/error.h"

namespace ldm {
namespace {

double profile_product(const PowerSnapshot& a, const PowerSnapshot& b) {
  const auto& later = a.time < b.time ? b : a;
  const double ratio = std::min(a.time, b.time) / later.time;
  return (a.gamma + 1) * (b.gamma + 1) * std::pow(ratio, later.gamma) /
         ((a.gamma + b.gamma + 1) * later.time);
}

torch::Tensor product_matrix(std::span<const PowerSnapshot> a, std::span<const PowerSnapshot> b) {
  return at::tensor(power_products(a, b), at::kDouble)
      .view({static_cast<int64_t>(a.size()), static_cast<int64_t>(b.size())});
}

}  // namespace

HalfLifeDecay half_life_decay(double time, double batch, double half_life, double ramp_up) {
  check(time > 0 && batch > 0 && half_life > 0 && ramp_up > 0,
        "half_life_decay: expected a positive time, batch, half_life and ramp_up, got ", time, ", ", batch,
        ", ", half_life, ", ", ramp_up);
  const double used = std::min(half_life, time * ramp_up);
  return {.half_life = used, .beta = std::exp2(-batch / used)};
}

double power_exponent(double sigma_rel) {
  check(sigma_rel > 0 && sigma_rel <= power_width(0), "power_exponent: expected a width in (0, ",
        power_width(0), "], got ", sigma_rel);
  // The largest root of x^3 + 7 x^2 + (16 - w) x + 12 - w with w = sigma_rel^-2. The cubic is convex and
  // positive from 1 / sigma_rel on, so Newton's method comes down to the root from there.
  const double w = 1 / (sigma_rel * sigma_rel);
  double x = 1 / sigma_rel;
  for (int i = 0; i < 100; ++i) {
    const double value = ((x + 7) * x + 16 - w) * x + 12 - w;
    const double next = x - value / ((3 * x + 14) * x + 16 - w);
    if (!(next < x)) break;
    x = next;
  }
  return x;
}

double power_width(double gamma) {
  check(gamma >= 0, "power_width: expected gamma >= 0, got ", gamma);
  return std::sqrt((gamma + 1) / ((gamma + 2) * (gamma + 2) * (gamma + 3)));
}

double power_decay(double time, double delta, double gamma) {
  check(time > 0 && delta > 0 && delta <= time, "power_decay: expected 0 < delta <= time, got ", delta,
        " and ", time);
  return std::pow(1 - delta / time, gamma + 1);
}

std::vector<double> power_products(std::span<const PowerSnapshot> a, std::span<const PowerSnapshot> b) {
  std::vector<double> out;
  for (const auto& x : a) {
    for (const auto& y : b) {
      check(x.time > 0 && y.time > 0, "power_products: expected positive times, got ", x.time, " and ",
            y.time);
      out.push_back(profile_product(x, y));
    }
  }
  return out;
}

std::vector<double> power_reconstruction(std::span<const PowerSnapshot> stored,
                                         std::span<const PowerSnapshot> wanted) {
  check(!stored.empty() && !wanted.empty(), "power_reconstruction: expected snapshots, got ", stored.size(),
        " stored and ", wanted.size(), " wanted");
  const auto [solved, info] =
      at::linalg_solve_ex(product_matrix(stored, stored), product_matrix(stored, wanted));
  check(info.item<int>() == 0, ErrorKind::kData, "power_reconstruction: two stored averages are the same");
  const auto weights = (solved / solved.sum(0, /*keepdim=*/true)).contiguous();
  const auto* data = weights.const_data_ptr<double>();
  return {data, data + weights.numel()};
}

}  // namespace ldm
