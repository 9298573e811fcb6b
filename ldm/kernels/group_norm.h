#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace ldm {

// Can group_norm_nhwc take this tensor? Float, on the CPU, 4 axes, channels-last memory, channels in eights.
bool group_norm_nhwc_takes(const at::Tensor& x);

// Group normalisation (Wu & He 2018) of x [N, C, H, W], times weight plus bias [C] (float), and if asked x *
// sigmoid(x) of the result, in two passes over the memory. Sums are kept in double; a picture's result
// depends neither on the rest of the batch nor on threads. Needs simd_available().
at::Tensor group_norm_nhwc(const at::Tensor& x, int64_t groups, const at::Tensor& weight,
                           const at::Tensor& bias, double eps, bool with_silu);

// Sums over one channel of one picture. Values are summed as distances from the first one, so that squares do
// not cancel where the mean is large.
struct ChannelSums {
  double pivot = 0, sum = 0, squares = 0;
};

// The two passes one by one, for a picture that is never in memory as a whole: all its rows are added first,
// in any pieces, then each piece is normalised by the sums of all.
struct GroupNormSums {
  std::vector<ChannelSums> channels;
  int64_t pixels = 0;  // That were added.
};
// rows [1, C, H, W], as group_norm_nhwc_takes says.
void add_group_norm_sums(const at::Tensor& rows, GroupNormSums& sums);
at::Tensor group_norm_by_sums(const at::Tensor& rows, const GroupNormSums& sums, int64_t groups,
                              const at::Tensor& weight, const at::Tensor& bias, double eps, bool with_silu);

}  // namespace ldm
