#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace ldm {

// 3x3 convolutions of stride 1 by Winograd's minimal filtering F(m x m, 3 x 3) (Lavin & Gray 2015,
// arXiv:1509.09308): tiles of m x m outputs from (m + 2) x (m + 2) inputs, with 2.25 (m = 2) or 4 (m = 4)
// times fewer multiplications than the definition; the packed weights are 1.8 or 4 times as large as the
// plain ones. For m = 4 the points are 0, +-sqrt(1/2), +-sqrt(2): their rounding errors are smaller than
// those of the usual 0, +-1, +-2. The arithmetic of a picture does not depend on the others of a batch, nor
// on threads. Needs simd_available().

struct WinogradWeights {
  int64_t m = 0, in_channels = 0, out_channels = 0;
  at::Tensor points;  // float [(m + 2)^2, Cout / 16 rounded up, Cin, 16]: G g G^T, packed as gemm.h says.
  at::Tensor bias;    // float [Cout rounded up to 16], or undefined.
};

// Channel counts that the kernels take: multiples of 8 on both sides.
bool winograd_takes(int64_t in_channels, int64_t out_channels);

// weight [Cout, Cin, 3, 3] (CPU; float, half or bfloat16), bias [Cout] or undefined; m = 2 or 4.
WinogradWeights pack_winograd(const at::Tensor& weight, const at::Tensor& bias, int64_t m);

// x, out: float, [N, H, W, C] in memory, contiguous; zero padding of 1 pixel, so that the sizes are equal.
void winograd_conv(const float* x, int64_t n, int64_t height, int64_t width, const WinogradWeights& weights,
                   float* out);

}  // namespace ldm
