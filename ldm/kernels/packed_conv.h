#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <mutex>

#include "ldm/kernels/gemm.h"
#include "ldm/kernels/weight_stamp.h"
#include "ldm/kernels/winograd.h"

namespace ldm {

// A convolution that keeps its weights in the form that its kernels read, for inference on the CPU. They are
// packed at the first call (again, if they have changed since): for Winograd's algorithm, or as a matrix
// whose rows are the filters' taps. Float arithmetic; weights may be half or bfloat16. Needs
// simd_available(). Calls may come from several threads.
class PackedConv2d {
 public:
  PackedConv2d(int64_t stride, int64_t padding) : stride_(stride), padding_(padding) {}

  // x float [N, Cin, H, W], weight [Cout, Cin, k, k], bias [Cout] or undefined -> [N, Cout, H', W'], both in
  // channels-last memory (x is copied if it is not).
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

 private:
  const PackedMatrix& matrix(const at::Tensor& weight, const at::Tensor& bias);
  const WinogradWeights& winograd(const at::Tensor& weight, const at::Tensor& bias, int64_t m);

  int64_t stride_, padding_;
  std::mutex mutex_;  // Of what follows.
  WeightStamp stamp_;
  PackedMatrix matrix_;
  WinogradWeights winograd_;
};

// The size m of Winograd's tiles for a convolution of this shape, or 0: multiply matrices.
int64_t winograd_tile(const at::Tensor& weight, int64_t stride, int64_t padding, int64_t height,
                      int64_t width);

}  // namespace ldm
