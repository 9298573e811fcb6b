#include "ldm/kernels/group_norm.h"

#include <ATen/ops/empty_like.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "ldm/kernels/parallel.h"
#include "ldm/kernels/simd.h"

namespace ldm {
namespace {

constexpr int64_t kNormLanes = 8;
constexpr int64_t kNormRun = 16;  // Pixels summed in float before they enter the sums in double.

// Adds the pixels of eight neighbouring channels to sums whose pivots are set; x points at the first pixel's.
LDM_SIMD void sum_channels(const float* x, int64_t pixels, int64_t channels, ChannelSums* out) {
  float pivots[kNormLanes];
  for (int64_t lane = 0; lane < kNormLanes; ++lane) pivots[lane] = static_cast<float>(out[lane].pivot);
  const simd::Vec pivot = simd::load(pivots);
  for (int64_t first = 0; first < pixels; first += kNormRun) {
    simd::Vec sum = simd::zero(), squares = simd::zero();
    for (int64_t p = first; p < std::min(pixels, first + kNormRun); ++p) {
      const simd::Vec v = simd::load(x + p * channels) - pivot;
      sum = sum + v;
      squares = simd::fma(v, v, squares);
    }
    float lanes[2][kNormLanes];
    simd::store(lanes[0], sum);
    simd::store(lanes[1], squares);
    for (int64_t lane = 0; lane < kNormLanes; ++lane) {
      out[lane].sum += static_cast<double>(lanes[0][lane]);
      out[lane].squares += static_cast<double>(lanes[1][lane]);
    }
  }
}

// Per channel what normalises one picture, out [2][channels]: the mean to take off, the factor to multiply
// by.
void affine_of(const ChannelSums* sums, int64_t pixels, int64_t channels, int64_t groups, const float* weight,
               double eps, float* out) {
  const int64_t size = channels / groups;
  const auto count = static_cast<double>(size * pixels);
  for (int64_t g = 0; g < groups; ++g) {
    const auto area = static_cast<double>(pixels);
    double mean = 0, squares = 0;  // Squares: of the distances from the group's mean.
    for (int64_t c = g * size; c < (g + 1) * size; ++c) mean += (sums[c].pivot * area + sums[c].sum) / count;
    for (int64_t c = g * size; c < (g + 1) * size; ++c) {
      const double own_mean = sums[c].sum / area, distance = sums[c].pivot + own_mean - mean;
      squares += sums[c].squares - own_mean * sums[c].sum + area * distance * distance;
    }
    const double scale = 1.0 / std::sqrt(std::max(0.0, squares / count) + eps);
    for (int64_t c = g * size; c < (g + 1) * size; ++c) {
      out[c] = static_cast<float>(mean);
      out[channels + c] = static_cast<float>(scale * static_cast<double>(weight[c]));
    }
  }
}

template <bool kSilu>
LDM_SIMD void apply_affine(const float* x, int64_t pixels, int64_t channels, const float* affine,
                           const float* bias, float* out) {
  for (int64_t p = 0; p < pixels; ++p) {
    for (int64_t c = 0; c < channels; c += kNormLanes) {
      const int64_t at = p * channels + c;
      const simd::Vec centred = simd::load(x + at) - simd::load(affine + c);
      simd::Vec y = simd::fma(centred, simd::load(affine + channels + c), simd::load(bias + c));
      if constexpr (kSilu) y = y / (simd::broadcast(1.0F) + simd::exp(simd::zero() - y));
      simd::store(out + at, y);
    }
  }
}

// Adds each picture of x [N, C, H, W] to its C sums. first: these are the first pixels.
void sum_pictures(const at::Tensor& x, bool first, ChannelSums* sums) {
  const int64_t channels = x.size(1), pixels = x.size(2) * x.size(3), blocks = channels / kNormLanes;
  const float* from = x.const_data_ptr<float>();
  parallel_for(0, x.size(0) * blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t image = i / blocks, c = i % blocks * kNormLanes;
      const float* own = from + image * pixels * channels + c;
      ChannelSums* to = sums + image * channels + c;
      for (int64_t lane = 0; first && lane < kNormLanes; ++lane)
        to[lane].pivot = static_cast<double>(own[lane]);
      sum_channels(own, pixels, channels, to);
    }
  });
}

// affine: [2][channels] per picture, see affine_of.
at::Tensor apply_to_pictures(const at::Tensor& x, const std::vector<float>& affine, const at::Tensor& bias,
                             bool with_silu) {
  const int64_t n = x.size(0), channels = x.size(1), pixels = x.size(2) * x.size(3);
  auto out = at::empty_like(x, x.options(), at::MemoryFormat::ChannelsLast);
  const float* from = x.const_data_ptr<float>();
  auto* to = out.data_ptr<float>();
  const auto apply = with_silu ? apply_affine<true> : apply_affine<false>;
  parallel_for(0, n * pixels, std::max<int64_t>(1, 4096 / channels), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end;) {
      const int64_t image = row / pixels, last = std::min(end, (image + 1) * pixels);
      apply(from + row * channels, last - row, channels, affine.data() + 2 * image * channels,
            bias.const_data_ptr<float>(), to + row * channels);
      row = last;
    }
  });
  return out;
}

}  // namespace

bool group_norm_nhwc_takes(const at::Tensor& x) {
  return x.is_cpu() && x.scalar_type() == at::kFloat && x.dim() == 4 && x.size(1) % kNormLanes == 0 &&
         x.numel() > 0 && x.is_contiguous(at::MemoryFormat::ChannelsLast);
}

void add_group_norm_sums(const at::Tensor& rows, GroupNormSums& sums) {
  sums.channels.resize(static_cast<size_t>(rows.size(1)));
  sum_pictures(rows, /*first=*/sums.pixels == 0, sums.channels.data());
  sums.pixels += rows.size(2) * rows.size(3);
}

at::Tensor group_norm_by_sums(const at::Tensor& rows, const GroupNormSums& sums, int64_t groups,
                              const at::Tensor& weight, const at::Tensor& bias, double eps, bool with_silu) {
  const int64_t channels = rows.size(1);
  std::vector<float> affine(static_cast<size_t>(2 * channels));
  affine_of(sums.channels.data(), sums.pixels, channels, groups, weight.const_data_ptr<float>(), eps,
            affine.data());
  return apply_to_pictures(rows, affine, bias, with_silu);
}

at::Tensor group_norm_nhwc(const at::Tensor& x, int64_t groups, const at::Tensor& weight,
                           const at::Tensor& bias, double eps, bool with_silu) {
  const int64_t n = x.size(0), channels = x.size(1), pixels = x.size(2) * x.size(3);
  std::vector<ChannelSums> sums(static_cast<size_t>(n * channels));
  sum_pictures(x, /*first=*/true, sums.data());
  std::vector<float> affine(static_cast<size_t>(2 * n * channels));
  for (int64_t i = 0; i < n; ++i) {
    affine_of(sums.data() + i * channels, pixels, channels, groups, weight.const_data_ptr<float>(), eps,
              affine.data() + 2 * i * channels);
  }
  return apply_to_pictures(x, affine, bias, with_silu);
}

}  // namespace ldm
