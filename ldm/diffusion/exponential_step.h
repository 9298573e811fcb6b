#pragma once

#include <torch/types.h>

#include <cstdint>
#include <deque>
#include <vector>

#include "ldm/diffusion/sampler_run.h"

namespace ldm {

// Steps of exponential integrators (Lu et al. 2022, "DPM-Solver" and "DPM-Solver++"), which the samplers of
// that family share. Everything is in lambda = -log sigma; h is a step's length there.

// What is taken to be a polynomial in lambda: the estimate D (DPM-Solver++) or the noise (x - D) / sigma
// (DPM-Solver). The state clean + sigma noise makes the formulas of both papers the same but for this.
enum class SolverForm { kData, kNoise };

// How the slope enters a second-order step: by the midpoint rule, or integrated exactly ("heun", "taylor").
enum class SlopeRule { kMidpoint, kExact };

// The model's value and its derivatives by lambda at the start of a step, in units of the step's length:
// value + first u + second u^2 / 2 for u in [0, 1]. Undefined tensors are left out.
struct Polynomial {
  torch::Tensor value, first, second;
};

// The values of earlier steps, newest first.
class ModelHistory {
 public:
  explicit ModelHistory(int64_t most) : most_(static_cast<size_t>(most)) {}
  void push(torch::Tensor value, double sigma);
  int64_t size() const { return static_cast<int64_t>(past_.size()); }
  const torch::Tensor& value(int64_t k) const { return past_[static_cast<size_t>(k)].value; }
  double sigma(int64_t k) const { return past_[static_cast<size_t>(k)].sigma; }
  // Sum of weights[k] value(k).
  torch::Tensor combine(const std::vector<double>& weights) const;
  // The polynomial through the newest `order` values (1..3), for a step to the level `to`.
  Polynomial polynomial(int64_t order, double to) const;

 private:
  struct Past {
    torch::Tensor value;
    double sigma;
  };
  size_t most_;
  std::deque<Past> past_;
};

// The model's value in the wanted form, from its estimate.
torch::Tensor model_value(SolverForm form, const torch::Tensor& x, const torch::Tensor& denoised,
                          double sigma);

// The fraction r of the way from one level to another in lambda.
double level_between(double from, double to, double r);

// From level `from` to `to`. eta adds the drift of an SDE with that much fresh noise; the noise itself is the
// caller's (sde_noise_level). A third-order polynomial is always integrated exactly. A step to 0 gives the
// clean latents of the value alone.
torch::Tensor exponential_step(SolverForm form, const torch::Tensor& x, const Polynomial& p, double from,
                               double to, SlopeRule rule, double eta = 0.0);

// Standard deviation of the fresh noise of a step with eta.
double sde_noise_level(SolverForm form, double from, double to, double eta);

}  // namespace ldm
