#pragma once

#include <torch/types.h>

#include <functional>
#include <vector>

#include "ldm/core/noise.h"

namespace ldm {

// A Brownian path W(t), t >= 0, that is a pure function of its seed: the virtual Brownian tree (Li et al.
// 2020, "Scalable Gradients for Stochastic Differential Equations", Sec. 4). The same points give the same
// values in whatever order and however often they are asked for, so that runs with different numbers of steps
// follow one path. Nothing is kept but the last answer.
class BrownianPath {
 public:
  // `shape` of a value.
  BrownianPath(NoiseKind kind, uint64_t seed, at::IntArrayRef shape);

  // W(t), negative t counting as 0; exact on a grid of 2^20 parts of [0, 16], of [16, 32], of [32, 64] and so
  // on, linear in between. Throws kUsage unless t is finite.
  torch::Tensor at(double t);
  // (W(to) - W(from)) / sqrt(|to - from|): unit noise for the way between two points.
  torch::Tensor increment(double from, double to);

 private:
  torch::Tensor node_noise(uint64_t piece, uint64_t node) const;

  NoiseKind kind_;
  uint64_t seed_;
  std::vector<int64_t> shape_;
  double last_t_ = -1.0;
  torch::Tensor last_;
};

// Such noise for a batch of n [n, ...]: row k follows the path of seed + k.
std::function<torch::Tensor(const torch::Tensor& like, double from, double to)> brownian_noise(NoiseKind kind,
                                                                                               uint64_t seed,
                                                                                               int64_t n);

}  // namespace ldm
