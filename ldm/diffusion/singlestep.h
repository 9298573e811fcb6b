#pragma once

#include <map>

#include "ldm/diffusion/exponential_step.h"

namespace ldm {

// One step of DPM-Solver's singlestep methods (Lu et al. 2022, Algorithms 1 and 2, and their data-prediction
// forms), from one level to another by way of inner levels. The estimates are kept, so that methods of
// different orders over the same step share them, which dpm_adaptive needs.
class SinglestepSolver {
 public:
  // Asks the model at x, which is at level `from`.
  SinglestepSolver(SolverForm form, const Denoiser& denoise, torch::Tensor x, double from, double to);

  const torch::Tensor& denoised() const { return denoised_; }  // D(x; from).
  torch::Tensor first() const;
  // By one inner level; rule is how its slope enters.
  torch::Tensor second(double inner, SlopeRule rule = SlopeRule::kMidpoint);
  // By two: kMidpoint takes the slope between the ends alone (Algorithm 2), kExact the parabola through all
  // three values ("taylor" in stable-diffusion).
  torch::Tensor third(double inner1, double inner2, SlopeRule rule = SlopeRule::kMidpoint);

 private:
  double fraction(double level) const;  // Of the way in lambda.
  torch::Tensor value_at(const torch::Tensor& x, double level) const;
  const torch::Tensor& inner_value(double level);

  SolverForm form_;
  const Denoiser& denoise_;
  torch::Tensor x_;
  double from_, to_;
  torch::Tensor denoised_, value_;
  std::map<double, torch::Tensor> inner_;  // Model values after a first-order step to an inner level.
};

}  // namespace ldm
