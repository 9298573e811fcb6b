#pragma once

#include <torch/types.h>

#include <cstdint>

#include "ldm/kernels/group_norm.h"
#include "ldm/nn/layers.h"

namespace ldm {

// Group normalisation of one picture that is seen a few rows at a time: add() all of them, then normalize()
// any. What is summed is summed in double, so that the pieces do not matter.
class NormSums {
 public:
  NormSums(GroupNorm norm, int64_t groups, double eps);
  void add(const torch::Tensor& rows);                            // [1, C, h, W]
  torch::Tensor normalize_silu(const torch::Tensor& rows) const;  // silu(norm(x)), the same shape.

 private:
  void add_groups(const torch::Tensor& rows);

  GroupNorm norm_;
  int64_t groups_;
  double eps_;
  bool by_kernel_ = false;
  GroupNormSums sums_;            // By the kernel,
  torch::Tensor mean_, squares_;  // or double [groups]: mean, and squared distances from it,
  int64_t count_ = 0;             // of so many values each.
};

}  // namespace ldm
