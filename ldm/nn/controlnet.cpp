#include "ldm/nn/controlnet.h"

#include <ATen/ATen.h>

#include <string>
#include <utility>

#include "ldm/core/error.h"

namespace ldm {
namespace {

// Of the hint's convolutions but the last, which has model_channels.
struct HintLayer {
  int64_t width, stride;
};
constexpr HintLayer kHintLayers[] = {{16, 1}, {16, 1}, {32, 2}, {32, 1}, {96, 2}, {96, 1}, {256, 2}};

}  // namespace

ControlNet::ControlNet(const ControlNetOptions& options) : ControlNet(options, plan_unet(options.unet)) {}

ControlNet::ControlNet(const ControlNetOptions& o, const UNetPlan& plan)
    : options_(o), trunk_(*this, o.unet, plan) {
  check(o.hint_channels > 0 && o.hint_channels <= 1024,
        "controlnet: expected hint_channels of 1 to 1024, got ", o.hint_channels);
  int64_t width = o.hint_channels;
  const auto add_hint = [&](Conv2d conv) {
    hint_.push_back(add(*this, "input_hint_block." + std::to_string(2 * hint_.size()), std::move(conv)));
  };
  for (const auto& layer : kHintLayers) {
    add_hint(conv3x3(width, layer.width, layer.stride));
    width = layer.width;
  }
  add_hint(zeroed(conv3x3(width, o.unet.model_channels)));
  const auto& widths = plan.skip_channels;
  for (size_t i = 0; i < widths.size(); ++i) {
    const auto name = "zero_convs." + std::to_string(i) + ".0";
    zero_convs_.push_back(add(*this, name, zeroed(conv1x1(widths[i], widths[i]))));
  }
  middle_out_ = add(*this, "middle_block_out.0", zeroed(conv1x1(widths.back(), widths.back())));
}

std::vector<torch::Tensor> ControlNet::forward(const torch::Tensor& x, const torch::Tensor& hint,
                                               const torch::Tensor& t, const Context& context,
                                               const torch::Tensor& y) const {
  trunk_.check_inputs(x, t, context, y);
  check(hint.dim() == 4 && hint.size(0) == x.size(0) && hint.size(1) == options_.hint_channels &&
            hint.size(2) == kHintPixels * x.size(2) && hint.size(3) == kHintPixels * x.size(3),
        "controlnet: expected a hint of shape [", x.size(0), ", ", options_.hint_channels, ", ",
        kHintPixels * x.size(2), ", ", kHintPixels * x.size(3), "], got ", hint.sizes());
  const auto emb = trunk_.embed(t, y);
  const auto type = emb.scalar_type();
  const auto features = trunk_.forward(x.to(type), emb, context.to(type), encode_hint(hint.to(type)));
  std::vector<torch::Tensor> residuals;
  for (size_t i = 0; i < zero_convs_.size(); ++i) residuals.push_back(zero_convs_[i](features.skips[i]));
  residuals.push_back(middle_out_(features.middle));
  return residuals;
}

torch::Tensor ControlNet::encode_hint(const torch::Tensor& hint) const {
  auto h = hint_.front()(hint);
  for (size_t i = 1; i < hint_.size(); ++i) h = hint_[i](at::silu(h));
  return h;
}

}  // namespace ldm
