#include "ldm/diffusion/flow_density.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>

#include "ldm/core/error.h"

namespace ldm {
namespace {

constexpr double kQuarterTurn = std::numbers::pi / 2;

void check_std(double std) { check(std > 0, "logit_normal: expected a positive std, got ", std); }

}  // namespace

torch::Tensor logit_normal_time(const torch::Tensor& normal, double mean, double std) {
  check_std(std);
  return at::sigmoid(mean + std * normal);
}

torch::Tensor logit_normal_density(const torch::Tensor& u, double mean, double std) {
  check_std(std);
  const auto z = (at::log(u / (1 - u)) - mean) / std;
  return at::exp(-0.5 * z.square()) / (std * std::sqrt(2 * std::numbers::pi)) / (u * (1 - u));
}

torch::Tensor mode_time(const torch::Tensor& u, double scale) {
  return 1 - u - scale * (at::cos(kQuarterTurn * u).square() - 1 + u);
}

torch::Tensor cosmap_time(const torch::Tensor& u) { return 1 - 1 / (at::tan(kQuarterTurn * u) + 1); }

}  // namespace ldm
