#include "ldm/nn/spatial_rescaler.h"

#include <ATen/ATen.h>

#include <array>
#include <cmath>

#include "ldm/core/error.h"

namespace ldm {
namespace {

// The factor, not the ratio of the sizes, gives the source coordinates, as in torch's interpolate.
torch::Tensor rescaled(const torch::Tensor& x, const std::string& method, double factor) {
  const std::array<double, 2> factors{factor, factor};
  if (method == "nearest") return at::upsample_nearest2d(x, std::nullopt, factors);
  if (method == "bilinear") return at::upsample_bilinear2d(x, std::nullopt, /*align_corners=*/false, factors);
  if (method == "bicubic") return at::upsample_bicubic2d(x, std::nullopt, /*align_corners=*/false, factors);
  const auto side = [&](int64_t size) {
    return static_cast<int64_t>(std::floor(static_cast<double>(size) * factor));
  };
  return at::adaptive_avg_pool2d(x, {side(x.size(2)), side(x.size(3))});
}

}  // namespace

SpatialRescaler::SpatialRescaler(torch::nn::Module& parent, const SpatialRescalerOptions& o) : options_(o) {
  check(o.n_stages >= 0 && o.n_stages <= 32, "spatial_rescaler: expected n_stages of 0 to 32, got ",
        o.n_stages);
  check(o.method == "nearest" || o.method == "bilinear" || o.method == "bicubic" || o.method == "area",
        "spatial_rescaler: expected the method nearest, bilinear, bicubic or area, got '", o.method, "'");
  check(o.multiplier > 0 && o.multiplier <= 16, "spatial_rescaler: expected a multiplier in (0, 16], got ",
        o.multiplier);
  if (o.out_channels)
    channel_mapper_ = add(parent, "channel_mapper", conv1x1(o.in_channels, *o.out_channels, o.bias));
}

torch::Tensor SpatialRescaler::operator()(const torch::Tensor& x) const {
  check(x.dim() == 4 && x.size(1) == options_.in_channels, "spatial_rescaler: expected a map of shape [N, ",
        options_.in_channels, ", H, W], got ", x.sizes());
  auto h = x;
  for (int64_t stage = 0; stage < options_.n_stages; ++stage) {
    h = rescaled(h, options_.method, options_.multiplier);
  }
  return channel_mapper_ ? channel_mapper_(h) : h;
}

}  // namespace ldm
