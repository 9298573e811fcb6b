#include "ldm/nn/timestep_embedding.h"

#include <ATen/ATen.h>

#include <cmath>

#include "ldm/core/error.h"

namespace ldm {

torch::Tensor timestep_embedding(const torch::Tensor& t, int64_t dim, double max_period) {
  check(t.dim() == 1, "timestep_embedding: expected times of shape [N], got ", t.sizes());
  check(dim >= 2, "timestep_embedding: expected a width of at least 2, got ", dim);
  const int64_t half = dim / 2;
  const auto options = t.options().dtype(at::kFloat);
  const auto frequency =
      at::exp(at::arange(half, options) * (-std::log(max_period) / static_cast<double>(half)));
  const auto angle = t.to(at::kFloat).unsqueeze(1) * frequency.unsqueeze(0);  // [N, half]
  const auto embedding = at::cat({angle.cos(), angle.sin()}, /*dim=*/1);
  return dim % 2 == 0 ? embedding : at::constant_pad_nd(embedding, {0, 1});
}

torch::Tensor repeated_timesteps(const torch::Tensor& t, int64_t dim) {
  check(t.dim() == 1, "repeated_timesteps: expected times of shape [N], got ", t.sizes());
  return t.to(at::kFloat).unsqueeze(1).repeat({1, dim});
}

}  // namespace ldm
