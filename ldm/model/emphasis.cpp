#include "ldm/model/emphasis.h"

#include <ATen/ATen.h>

namespace ldm {

torch::Tensor emphasized(const torch::Tensor& states, const torch::Tensor& weights, Emphasis rule) {
  if (weights.eq(1.0).all().item<bool>()) return states;
  const auto weighted = states * weights.to(states.options()).unsqueeze(-1);
  return rule == Emphasis::kNoNorm ? weighted : weighted * (states.mean() / weighted.mean());
}

}  // namespace ldm
