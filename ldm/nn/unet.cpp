#include "ldm/nn/unet.h"

#include <ATen/ATen.h>

#include <string>

#include "ldm/core/error.h"

namespace ldm {
namespace {

// ControlNet (Zhang et al. 2023, Sec. 3.2): the features of the way down, each with its residual.
void add_residuals(TrunkFeatures& features, const std::vector<torch::Tensor>& residuals) {
  if (residuals.empty()) return;
  auto& skips = features.skips;
  check(residuals.size() == skips.size() + 1, "unet: expected ", skips.size() + 1,
        " residuals, one per input block and one for the middle, got ", residuals.size());
  for (size_t i = 0; i < skips.size(); ++i) skips[i] = skips[i] + residuals[i];
  features.middle = features.middle + residuals.back();
}

// h [N, C, H, W] as high and wide as `like`. What was halved and doubled differs from an odd size by one:
// convolutions halve to the larger half, means to the smaller one.
torch::Tensor fitted(const torch::Tensor& h, const torch::Tensor& like) {
  const auto height = like.size(2), width = like.size(3);
  if (h.size(2) == height && h.size(3) == width) return h;
  const auto cut = h.slice(2, 0, height).slice(3, 0, width);
  return at::replication_pad2d(cut, {0, width - cut.size(3), 0, height - cut.size(2)});
}

}  // namespace

UNet::UNet(const UNetOptions& options) : UNet(options, plan_unet(options)) {}

UNet::UNet(const UNetOptions& o, const UNetPlan& plan) : options_(o), trunk_(*this, o, plan) {
  for (size_t i = 0; i < plan.output.size(); ++i) {
    output_.push_back(add(*this, "output_blocks." + std::to_string(i),
                          std::make_shared<UNetStage>(plan.output[i], o.use_checkpoint)));
  }
  const int64_t width = o.channel_mult.front() * o.model_channels;
  norm_out_ = add(*this, "out.0", group_norm(width));
  conv_out_ = add(*this, "out.2", zeroed(conv3x3(width, o.out_channels)));
  if (o.n_embed) {
    logits_norm_ = add(*this, "id_predictor.0", group_norm(width));
    logits_conv_ = add(*this, "id_predictor.1", conv1x1(width, *o.n_embed));
  }
}

torch::Tensor UNet::forward(const torch::Tensor& x, const torch::Tensor& t, const Context& context,
                            const torch::Tensor& y, const std::vector<torch::Tensor>& residuals) const {
  trunk_.check_inputs(x, t, context, y);
  const auto emb = trunk_.embed(t, y);
  const auto condition = context.to(emb.scalar_type());
  auto features = trunk_.forward(x.to(emb.scalar_type()), emb, condition);
  add_residuals(features, residuals);

  auto& [skips, h] = features;
  for (const auto& stage : output_) {
    h = stage->forward(at::cat({fitted(h, skips.back()), skips.back()}, /*dim=*/1), emb, condition);
    skips.pop_back();
  }
  h = logits_conv_ ? logits_conv_(logits_norm_(h)) : conv_out_(norm_silu(norm_out_, h));
  return h.to(x.scalar_type());
}

}  // namespace ldm
