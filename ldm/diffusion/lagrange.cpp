#include "ldm/diffusion/lagrange.h"

#include <array>
#include <cmath>
#include <numbers>

#include "ldm/core/error.h"

namespace ldm {
namespace {

constexpr int kPoints = 24;
struct Quadrature {
  std::array<double, kPoints> at, weight;  // On [-1, 1].
};

// Roots of the Legendre polynomial by Newton's method; the weights are 2 / ((1 - x^2) P'(x)^2).
Quadrature gauss_legendre() {
  Quadrature q{};
  for (int i = 0; i < kPoints; ++i) {
    double x = std::cos(std::numbers::pi * (i + 0.75) / (kPoints + 0.5)), slope = 0;
    for (int pass = 0; pass < 8; ++pass) {
      double before = 1, value = x;
      for (int k = 2; k <= kPoints; ++k) {
        const double after = ((2 * k - 1) * x * value - (k - 1) * before) / k;
        before = value;
        value = after;
      }
      slope = kPoints * (x * value - before) / (x * x - 1);
      x -= value / slope;
    }
    q.at[static_cast<size_t>(i)] = x;
    q.weight[static_cast<size_t>(i)] = 2 / ((1 - x * x) * slope * slope);
  }
  return q;
}

double basis(const std::vector<double>& nodes, size_t j, double at) {
  double product = 1;
  for (size_t k = 0; k < nodes.size(); ++k) {
    if (k != j) product *= (at - nodes[k]) / (nodes[j] - nodes[k]);
  }
  return product;
}

}  // namespace

std::vector<double> lagrange_weights(const std::vector<double>& nodes, double from, double to,
                                     const std::function<double(double)>& density) {
  static const Quadrature kRule = gauss_legendre();
  std::vector<double> out(nodes.size(), 0.0);
  const double half = (to - from) / 2, middle = (to + from) / 2;
  for (size_t i = 0; i < kPoints; ++i) {
    const double at = middle + half * kRule.at[i];
    const double mass = half * kRule.weight[i] * density(at);
    for (size_t j = 0; j < nodes.size(); ++j) out[j] += mass * basis(nodes, j, at);
  }
  return out;
}

const std::vector<double>& adams_bashforth_weights(size_t order) {
  static const std::array<std::vector<double>, 4> kWeights = {std::vector<double>{1.0},
                                                              {3.0 / 2, -1.0 / 2},
                                                              {23.0 / 12, -16.0 / 12, 5.0 / 12},
                                                              {55.0 / 24, -59.0 / 24, 37.0 / 24, -9.0 / 24}};
  check(order >= 1 && order <= 4, "adams_bashforth_weights: expected an order of 1 to 4, got ", order);
  return kWeights[order - 1];
}

}  // namespace ldm
