#include "ldm/diffusion/exponential_step.h"

#include <ATen/ATen.h>

#include <cmath>
#include <utility>

#include "ldm/core/error.h"

namespace ldm {

void ModelHistory::push(torch::Tensor value, double sigma) {
  past_.push_front({std::move(value), sigma});
  if (past_.size() > most_) past_.pop_back();
}

torch::Tensor ModelHistory::combine(const std::vector<double>& weights) const {
  auto sum = weights[0] * value(0);
  for (size_t k = 1; k < weights.size(); ++k) sum = sum + weights[k] * value(static_cast<int64_t>(k));
  return sum;
}

Polynomial ModelHistory::polynomial(int64_t order, double to) const {
  check(order >= 1 && order <= 3 && order <= size(), ErrorKind::kInternal,
        "ModelHistory: expected an order of 1..3 and as many values, got ", order, " of ", size());
  Polynomial p{value(0), {}, {}};
  if (order == 1) return p;
  const double h = std::log(sigma(0) / to);
  const double r0 = std::log(sigma(1) / sigma(0)) / h;
  const auto newer = (value(0) - value(1)) / r0;
  p.first = newer;
  if (order == 2) return p;
  const double r1 = std::log(sigma(2) / sigma(1)) / h;
  const auto older = (value(1) - value(2)) / r1;
  p.first = newer + (newer - older) * (r0 / (r0 + r1));
  p.second = (newer - older) / (r0 + r1);
  return p;
}

torch::Tensor model_value(SolverForm form, const torch::Tensor& x, const torch::Tensor& denoised,
                          double sigma) {
  return form == SolverForm::kData ? denoised : (x - denoised) / sigma;
}

double level_between(double from, double to, double r) { return from * std::pow(to / from, r); }

torch::Tensor exponential_step(SolverForm form, const torch::Tensor& x, const Polynomial& p, double from,
                               double to, SlopeRule rule, double eta) {
  const bool data = form == SolverForm::kData;
  if (to == 0) return data ? p.value : x - from * p.value;
  const double h = std::log(from / to);
  // For the data form the noise shortens the memory of x: k takes the place of h (k-diffusion's h_eta). For
  // the noise form it strengthens the drift.
  const double k = data ? h * (1 + eta) : -h;
  const double weight = data ? 1.0 : -to * (1 + eta);
  const double phi1 = -std::expm1(-k) * (data ? 1.0 : -1.0);                  // Of the value.
  const double phi2 = data ? 1 + std::expm1(-k) / k : std::expm1(h) / h - 1;  // Of the first derivative.
  auto out = (data ? (to / from) * std::exp(-eta * h) : 1.0) * x + (weight * phi1) * p.value;
  if (!p.first.defined()) return out;
  const bool midpoint = rule == SlopeRule::kMidpoint && !p.second.defined();
  out = out + (weight * (midpoint ? phi1 / 2 : phi2)) * p.first;
  if (!p.second.defined()) return out;
  const double phi3 = data ? 0.5 - phi2 / k : phi2 / h - 0.5;
  return out + (weight * phi3) * p.second;
}

double sde_noise_level(SolverForm form, double from, double to, double eta) {
  if (to == 0 || eta == 0) return 0.0;
  const double h = std::log(from / to);
  return form == SolverForm::kData ? to * std::sqrt(-std::expm1(-2 * eta * h))
                                   : to * std::sqrt(eta * std::expm1(2 * h));
}

}  // namespace ldm
