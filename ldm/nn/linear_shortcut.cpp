#include "ldm/nn/linear_shortcut.h"

#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/pixel_shuffle.h>
#include <ATen/ops/pixel_unshuffle.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <memory>

#include "ldm/core/error.h"

namespace ldm {

LinearShortcut::LinearShortcut(int64_t in_channels, int64_t out_channels, int64_t latent_channels,
                               int64_t patch)
    : patch_(patch) {
  check(in_channels > 0 && out_channels > 0 && latent_channels > 0 && patch > 0,
        "LinearShortcut: expected positive sizes");
  const auto parameters = [&](const char* name, int64_t channels, double fan_in, at::IntArrayRef bias_shape) {
    const auto child = register_module(name, std::make_shared<torch::nn::Module>());
    auto weight =
        at::empty({latent_channels, channels, patch, patch}, at::kFloat).normal_(0.0, 1 / std::sqrt(fan_in));
    return std::pair(child->register_parameter("weight", weight),
                     child->register_parameter("bias", at::zeros(bias_shape)));
  };
  const auto area = static_cast<double>(patch * patch);
  std::tie(encode_weight_, encode_bias_) =
      parameters("encode", in_channels, static_cast<double>(in_channels) * area, {latent_channels});
  std::tie(decode_weight_, decode_bias_) =
      parameters("decode", out_channels, static_cast<double>(latent_channels), {out_channels, patch, patch});
}

// Both are 1x1 convolutions over patches folded into channels in the order (channel, y, x).
torch::Tensor LinearShortcut::encode(const torch::Tensor& images) const {
  const auto weight = encode_weight_.flatten(1).unsqueeze(-1).unsqueeze(-1);
  return at::conv2d(at::pixel_unshuffle(images, patch_), weight, encode_bias_);
}
torch::Tensor LinearShortcut::decode(const torch::Tensor& latents) const {
  const auto weight = decode_weight_.flatten(1).t().unsqueeze(-1).unsqueeze(-1);
  return at::pixel_shuffle(at::conv2d(latents, weight, decode_bias_.flatten()), patch_);
}

}  // namespace ldm
