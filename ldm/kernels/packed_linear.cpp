#include "ldm/kernels/packed_linear.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>

namespace ldm {

at::Tensor PackedLinear::operator()(const at::Tensor& x, const std::vector<at::Tensor>& weights,
                                    const at::Tensor& bias) {
  std::vector<WeightStamp> now;
  for (const auto& weight : weights) now.push_back(WeightStamp::of(weight, bias));
  std::unique_lock lock(mutex_);
  if (now != stamps_) {
    std::vector<at::Tensor> flat;
    for (const auto& weight : weights) flat.push_back(weight.detach().flatten(1));
    matrix_ = pack_transposed(flat.size() == 1 ? flat[0] : at::cat(flat), bias);
    stamps_ = std::move(now);
  }
  const auto matrix = matrix_;  // Handles: another call may pack anew.
  lock.unlock();

  const auto input = x.contiguous();
  auto shape = x.sizes().vec();
  shape.back() = matrix.n;
  auto out = at::empty(shape, x.options());
  gemm(DenseRows(input.const_data_ptr<float>(), matrix.k), input.numel() / matrix.k, matrix,
       out.data_ptr<float>(), matrix.n);
  return out;
}

}  // namespace ldm
