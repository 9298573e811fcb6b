#include "ldm/core/brownian.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "ldm/core/error.h"
#include "ldm/core/random.h"

namespace ldm {
namespace {

constexpr int kBrownianDepth = 20;
constexpr double kFirstPiece = 16.0;  // Levels of latent diffusion mostly lie below.

}  // namespace

BrownianPath::BrownianPath(NoiseKind kind, uint64_t seed, at::IntArrayRef shape)
    : kind_(kind), seed_(seed), shape_(shape.vec()) {}

torch::Tensor BrownianPath::node_noise(uint64_t piece, uint64_t node) const {
  return NoiseStream(kind_, Random(seed_, "brownian", node, piece).next()).randn(shape_);
}

torch::Tensor BrownianPath::at(double t) {
  check(std::isfinite(t), "BrownianPath: expected a finite point, got ", t);
  t = std::max(t, 0.0);
  if (t == last_t_) return last_;
  // The path goes on from piece to piece, each as long as all before it.
  double low = 0.0, high = kFirstPiece;
  uint64_t piece = 0;
  auto left = at::zeros(shape_, at::kFloat), right = node_noise(0, 0) * std::sqrt(high);
  while (high < t) {
    left = right;
    right = left + node_noise(++piece, 0) * std::sqrt(high);
    low = high;
    high *= 2;
  }
  uint64_t node = 1;  // Numbered as in a heap.
  for (int level = 0; level < kBrownianDepth && low < t && t < high; ++level) {
    // The middle of a bridge: the mean of both ends, variance a quarter of the length.
    const double middle = (low + high) / 2;
    const auto value = (left + right) / 2 + node_noise(piece, node) * std::sqrt((high - low) / 4);
    const bool up = t >= middle;
    (up ? left : right) = value;
    (up ? low : high) = middle;
    node = 2 * node + (up ? 1 : 0);
  }
  last_ = t == high ? right : left + (right - left) * ((t - low) / (high - low));
  last_t_ = t;
  return last_;
}

torch::Tensor BrownianPath::increment(double from, double to) {
  check(from != to, "BrownianPath: expected two different points, got ", from, " twice");
  const auto begin = at(from);
  return (at(to) - begin) / (std::sqrt(std::abs(to - from)) * (to > from ? 1.0 : -1.0));
}

std::function<torch::Tensor(const torch::Tensor& like, double from, double to)> brownian_noise(NoiseKind kind,
                                                                                               uint64_t seed,
                                                                                               int64_t n) {
  return [kind, seed, n, paths = std::make_shared<std::vector<BrownianPath>>()](const torch::Tensor& like,
                                                                                double from, double to) {
    if (paths->empty()) {
      for (int64_t k = 0; k < n; ++k)
        paths->emplace_back(kind, seed + static_cast<uint64_t>(k), like.sizes().slice(1));
    }
    std::vector<torch::Tensor> rows;
    for (auto& path : *paths) rows.push_back(path.increment(from, to));
    return at::stack(rows).to(like.options());
  };
}

}  // namespace ldm
