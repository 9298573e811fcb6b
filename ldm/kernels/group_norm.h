#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace ldm {

// Can group_norm_nhwc take this tensor? Float, on the CPU, 4 axes, channels-last memory, channels in eights.
bool group_norm_nhwc_takes(const at::Tensor& x);

// Group normalisation (Wu & He 2018) of x [N, C, H, W], times weight plus bias [C] (float), and if asked x *
// sigmoid(x) of the result, in two passes over the memory. Sums are kept in double; a picture's result
// depends neither on the rest of the batch nor on threads. Needs simd_available().
at::Tensor group_norm_nhwc(const at::Tensor& x, int64_t groups, const at::Tensor& weight,
                           const at::Tensor& bias, double eps, bool with_silu);

}  // namespace ldm
