#include "ldm/nn/resample_layers.h"

#include <ATen/ATen.h>

#include "ldm/core/error.h"

namespace ldm {
namespace {

void check_resample(const ResampleOptions& o) {
  check(o.use_conv || o.in_channels == o.out_channels,
        "resampling without a convolution: expected equal channel counts, got ", o.in_channels, " and ",
        o.out_channels);
}

Conv2d resample_conv(const ResampleOptions& o, int64_t stride) {
  return conv2d(
      {.in_channels = o.in_channels, .out_channels = o.out_channels, .stride = stride, .padding = o.padding});
}

}  // namespace

torch::Tensor upsample_nearest(const torch::Tensor& x) {
  return at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)});
}

torch::Tensor downsample_average(const torch::Tensor& x) { return at::avg_pool2d(x, {2, 2}, {2, 2}); }

Downsample::Downsample(const ResampleOptions& o) {
  check_resample(o);
  if (o.use_conv) conv_ = add(*this, "op", resample_conv(o, /*stride=*/2));
}

torch::Tensor Downsample::forward(const torch::Tensor& x) const {
  return conv_ ? conv_(x) : downsample_average(x);
}

Upsample::Upsample(const ResampleOptions& o) {
  check_resample(o);
  if (o.use_conv) conv_ = add(*this, "conv", resample_conv(o, /*stride=*/1));
}

torch::Tensor Upsample::forward(const torch::Tensor& x) const {
  const auto h = upsample_nearest(x);
  return conv_ ? conv_(h) : h;
}

}  // namespace ldm
