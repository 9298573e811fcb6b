#include "ldm/nn/encoder_unet.h"

#include <ATen/ATen.h>

#include <numeric>
#include <vector>

#include "ldm/core/error.h"
#include "ldm/nn/attention_pool2d.h"

namespace ldm {
namespace {

constexpr int64_t kSpatialWidth = 2048;

torch::Tensor pixel_mean(const torch::Tensor& x) { return x.mean({2, 3}); }

// Of every block's features: [N, F].
torch::Tensor feature_means(const TrunkFeatures& features) {
  std::vector<torch::Tensor> means;
  for (const auto& skip : features.skips) means.push_back(pixel_mean(skip));
  means.push_back(pixel_mean(features.middle));
  return at::cat(means, /*dim=*/1);
}

const EncoderUNetOptions& checked(const EncoderUNetOptions& o) {
  check(
      !o.unet.num_classes && !o.unet.context_dim && !o.unet.n_embed,
      "encoder_unet: expected none of num_classes, context_dim and n_embed: it classifies, unconditionally");
  return o;
}

}  // namespace

EncoderUNet::EncoderUNet(const EncoderUNetOptions& options)
    : EncoderUNet(checked(options), plan_unet(options.unet)) {}

EncoderUNet::EncoderUNet(const EncoderUNetOptions& options, const UNetPlan& plan)
    : trunk_(*this, options.unet, plan), head_(make_head(options, plan)) {}

torch::Tensor EncoderUNet::forward(const torch::Tensor& x, const torch::Tensor& t) const {
  trunk_.check_inputs(x, t, {}, {});
  const auto emb = trunk_.embed(t, {});
  return head_(trunk_.forward(x.to(emb.scalar_type()), emb, {})).to(x.scalar_type());
}

EncoderUNet::Head EncoderUNet::make_head(const EncoderUNetOptions& o, const UNetPlan& plan) {
  const auto& widths = plan.skip_channels;
  if (o.pool == "adaptive" || o.pool == "attention") return pooled_head(o, widths.back());
  check(o.pool == "spatial" || o.pool == "spatial_v2",
        "encoder_unet: expected the pool adaptive, attention, spatial or spatial_v2, got '", o.pool, "'");
  return spatial_head(o, std::accumulate(widths.begin(), widths.end(), widths.back()));
}

EncoderUNet::Head EncoderUNet::pooled_head(const EncoderUNetOptions& o, int64_t width) {
  const auto norm = add(*this, "out.0", group_norm(width));
  if (o.pool == "adaptive") {
    const auto project = add(*this, "out.3", zeroed(pointwise(width, o.unet.out_channels, 2)));
    return [norm, project](const TrunkFeatures& f) { return project(pixel_mean(at::silu(norm(f.middle)))); };
  }
  const AttentionPool2dOptions pool{
      .size = o.unet.image_size >> (o.unet.channel_mult.size() - 1),
      .channels = width,
      .head_channels = o.unet.num_head_channels,
      .out_channels = o.unet.out_channels,
  };
  const auto attend = add(*this, "out.2", std::make_shared<AttentionPool2d>(pool));
  return [norm, attend](const TrunkFeatures& f) { return attend->forward(at::silu(norm(f.middle))); };
}

EncoderUNet::Head EncoderUNet::spatial_head(const EncoderUNetOptions& o, int64_t width) {
  const auto first = add(*this, "out.0", linear(width, kSpatialWidth));
  if (o.pool == "spatial") {
    const auto last = add(*this, "out.2", linear(kSpatialWidth, o.unet.out_channels));
    return [first, last](const TrunkFeatures& f) { return last(at::relu(first(feature_means(f)))); };
  }
  const auto norm = add(*this, "out.1", group_norm(kSpatialWidth));
  const auto last = add(*this, "out.3", linear(kSpatialWidth, o.unet.out_channels));
  return
      [first, norm, last](const TrunkFeatures& f) { return last(at::silu(norm(first(feature_means(f))))); };
}

}  // namespace ldm
