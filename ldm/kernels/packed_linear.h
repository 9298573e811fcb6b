#pragma once

#include <ATen/core/Tensor.h>

#include <mutex>
#include <vector>

#include "ldm/kernels/gemm.h"
#include "ldm/kernels/weight_stamp.h"

namespace ldm {

// Linear layers of one input, side by side as one product, with weights packed at the first call (again, if
// they have changed since); for inference on the CPU. Float arithmetic; weights may be half or bfloat16.
// Needs simd_available(). Calls may come from several threads.
class PackedLinear {
 public:
  // x float [..., K], weights [N_i, K, 1, ...] -> [..., sum of N_i]. bias: of all together [sum of N_i], or
  // undefined.
  at::Tensor operator()(const at::Tensor& x, const std::vector<at::Tensor>& weights, const at::Tensor& bias);

 private:
  std::mutex mutex_;
  std::vector<WeightStamp> stamps_;
  PackedMatrix matrix_;
};

}  // namespace ldm
