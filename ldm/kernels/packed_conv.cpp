#include "ldm/kernels/packed_conv.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstring>

namespace ldm {
namespace {

struct ConvShape {
  int64_t n, height, width, channels, out_height, out_width, kernel, stride, padding;
  int64_t pixels() const { return out_height * out_width; }
};

// One row per output pixel: the k x k x C inputs under the filter, zeros outside of the picture.
class FilterRows : public RowSource {
 public:
  FilterRows(const float* x, const ConvShape& shape) : x_(x), s_(shape) {}
  const float* rows(int64_t first, int64_t count, int64_t k0, int64_t k1, float* buffer,
                    int64_t* stride) const override {
    *stride = stride_in_buffer(k1 - k0);
    for (int64_t r = 0; r < count; ++r) fill(first + r, k0, k1, buffer + r * *stride);
    return buffer;
  }

 private:
  void fill(int64_t row, int64_t k0, int64_t k1, float* to) const {
    const int64_t image = row / s_.pixels(), pixel = row % s_.pixels();
    const int64_t top = pixel / s_.out_width * s_.stride - s_.padding;
    const int64_t left = pixel % s_.out_width * s_.stride - s_.padding;
    while (k0 < k1) {
      const int64_t tap = k0 / s_.channels, channel = k0 % s_.channels;
      const int64_t y = top + tap / s_.kernel, x = left + tap % s_.kernel;
      const int64_t count = std::min(s_.channels - channel, k1 - k0);
      const auto bytes = static_cast<size_t>(count) * sizeof(float);
      if (y >= 0 && y < s_.height && x >= 0 && x < s_.width) {
        std::memcpy(to, x_ + ((image * s_.height + y) * s_.width + x) * s_.channels + channel, bytes);
      } else {
        std::memset(to, 0, bytes);
      }
      to += count;
      k0 += count;
    }
  }

  const float* x_;
  ConvShape s_;
};

}  // namespace

int64_t winograd_tile(const at::Tensor& weight, int64_t stride, int64_t padding, int64_t height,
                      int64_t width) {
  const bool suits = weight.size(2) == 3 && weight.size(3) == 3 && stride == 1 && padding == 1 &&
                     winograd_takes(weight.size(1), weight.size(0));
  if (!suits) return 0;
  // Measured (docs/performance.md): below 8 x 8 reading the larger weights takes what multiplying less saves.
  // F(4 x 4) wins from 8 x 8 on, but makes the weights 4 times as large: worth it only where that is little,
  // or where the pictures are large.
  const int64_t pixels = height * width;
  if (pixels < 64) return 0;
  const bool light = weight.size(0) * weight.size(1) <= 512 * 512;
  return light || pixels >= 1024 ? 4 : 2;
}

const PackedMatrix& PackedConv2d::matrix(const at::Tensor& weight, const at::Tensor& bias) {
  if (!matrix_.panels.defined())
    matrix_ = pack_transposed(weight.permute({0, 2, 3, 1}).reshape({weight.size(0), -1}), bias);
  return matrix_;
}

const WinogradWeights& PackedConv2d::winograd(const at::Tensor& weight, const at::Tensor& bias, int64_t m) {
  if (winograd_.m != m) winograd_ = pack_winograd(weight, bias, m);
  return winograd_;
}

at::Tensor PackedConv2d::operator()(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  const auto input = x.contiguous(at::MemoryFormat::ChannelsLast);
  const int64_t kernel = weight.size(2);
  const ConvShape s{.n = x.size(0),
                    .height = x.size(2),
                    .width = x.size(3),
                    .channels = x.size(1),
                    .out_height = (x.size(2) + 2 * padding_ - kernel) / stride_ + 1,
                    .out_width = (x.size(3) + 2 * padding_ - kernel) / stride_ + 1,
                    .kernel = kernel,
                    .stride = stride_,
                    .padding = padding_};
  auto out = at::empty({s.n, weight.size(0), s.out_height, s.out_width}, x.options(),
                       at::MemoryFormat::ChannelsLast);
  const float* from = input.const_data_ptr<float>();
  auto* to = out.data_ptr<float>();
  const int64_t tile = winograd_tile(weight, stride_, padding_, s.height, s.width);

  std::unique_lock lock(mutex_);
  if (const auto now = WeightStamp::of(weight, bias); now != stamp_) {
    stamp_ = now;
    matrix_ = {};
    winograd_ = {};
  }
  if (tile > 0) {
    const auto weights = winograd(weight, bias, tile);  // A copy of handles: others may pack anew.
    lock.unlock();
    winograd_conv(from, s.n, s.height, s.width, weights, to);
    return out;
  }
  const auto weights = matrix(weight, bias);
  lock.unlock();
  const bool pointwise = kernel == 1 && stride_ == 1 && padding_ == 0;
  if (pointwise) {
    gemm(DenseRows(from, s.channels), s.n * s.pixels(), weights, to, weight.size(0));
  } else {
    gemm(FilterRows(from, s), s.n * s.pixels(), weights, to, weight.size(0));
  }
  return out;
}

}  // namespace ldm
