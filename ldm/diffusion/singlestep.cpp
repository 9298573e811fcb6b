#include "ldm/diffusion/singlestep.h"

#include <ATen/ATen.h>

#include <cmath>
#include <utility>

namespace ldm {

SinglestepSolver::SinglestepSolver(SolverForm form, const Denoiser& denoise, torch::Tensor x, double from,
                                   double to)
    : form_(form), denoise_(denoise), x_(std::move(x)), from_(from), to_(to) {
  denoised_ = denoise_at(denoise_, x_, from_);
  value_ = model_value(form_, x_, denoised_, from_);
}

double SinglestepSolver::fraction(double level) const {
  return std::log(from_ / level) / std::log(from_ / to_);
}

torch::Tensor SinglestepSolver::value_at(const torch::Tensor& x, double level) const {
  return model_value(form_, x, denoise_at(denoise_, x, level), level);
}

const torch::Tensor& SinglestepSolver::inner_value(double level) {
  auto& value = inner_[level];
  if (!value.defined()) {
    const auto x = exponential_step(form_, x_, {value_, {}, {}}, from_, level, SlopeRule::kMidpoint);
    value = value_at(x, level);
  }
  return value;
}

torch::Tensor SinglestepSolver::first() const {
  return exponential_step(form_, x_, {value_, {}, {}}, from_, to_, SlopeRule::kMidpoint);
}

torch::Tensor SinglestepSolver::second(double inner, SlopeRule rule) {
  const auto slope = (inner_value(inner) - value_) / fraction(inner);
  return exponential_step(form_, x_, {value_, slope, {}}, from_, to_, rule);
}

torch::Tensor SinglestepSolver::third(double inner1, double inner2, SlopeRule rule) {
  const double r1 = fraction(inner1), r2 = fraction(inner2);
  const auto rise1 = (inner_value(inner1) - value_) / r1;
  const auto x2 = exponential_step(form_, x_, {value_, rise1 * r2, {}}, from_, inner2, SlopeRule::kExact);
  const auto rise2 = (value_at(x2, inner2) - value_) / r2;
  Polynomial p{value_, rise2, {}};
  if (rule == SlopeRule::kExact) {
    p.second = 2 * (rise2 - rise1) / (r2 - r1);
    p.first = rise1 - p.second * (r1 / 2);
  }
  return exponential_step(form_, x_, p, from_, to_, SlopeRule::kExact);
}

}  // namespace ldm
