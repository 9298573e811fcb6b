#include "ldm/nn/linear_shortcut.h"

#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/pixel_shuffle.h>
#include <ATen/ops/pixel_unshuffle.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <memory>
#include <utility>

#include "ldm/core/error.h"

namespace ldm {

// Both are 1x1 convolutions over patches folded into channels in the order (channel, y, x).
torch::Tensor LinearCode::encode(const torch::Tensor& images) const {
  const auto weight = encode_weight.flatten(1).unsqueeze(-1).unsqueeze(-1);
  return at::conv2d(at::pixel_unshuffle(images, encode_weight.size(2)), weight, encode_bias);
}
torch::Tensor LinearCode::decode(const torch::Tensor& latents) const {
  const auto weight = decode_weight.flatten(1).t().unsqueeze(-1).unsqueeze(-1);
  return at::pixel_shuffle(at::conv2d(latents, weight, decode_bias.flatten()), decode_weight.size(2));
}

LinearShortcut::LinearShortcut(int64_t in_channels, int64_t out_channels, int64_t latent_channels,
                               int64_t patch) {
  check(in_channels > 0 && out_channels > 0 && latent_channels > 0 && patch > 0,
        "LinearShortcut: expected positive sizes");
  const auto parameters = [&](const char* name, int64_t channels, int64_t fan_in,
                              at::IntArrayRef bias_shape) {
    const auto child = register_module(name, std::make_shared<torch::nn::Module>());
    const double deviation = 1.0 / std::sqrt(static_cast<double>(fan_in));
    auto weight = at::empty({latent_channels, channels, patch, patch}, at::kFloat).normal_(0.0, deviation);
    return std::pair(child->register_parameter("weight", weight),
                     child->register_parameter("bias", at::zeros(bias_shape)));
  };
  std::tie(code_.encode_weight, code_.encode_bias) =
      parameters("encode", in_channels, in_channels * patch * patch, {latent_channels});
  std::tie(code_.decode_weight, code_.decode_bias) =
      parameters("decode", out_channels, latent_channels, {out_channels, patch, patch});
}

void LinearShortcut::assign(const LinearCode& code) {
  torch::NoGradGuard no_grad;
  const auto copy = [](const char* what, const torch::Tensor& to, const torch::Tensor& from) {
    check(to.sizes() == from.sizes(), "LinearShortcut: expected ", what, " of shape ", to.sizes(), ", got ",
          from.sizes());
    to.detach().copy_(from);
  };
  copy("encode.weight", code_.encode_weight, code.encode_weight);
  copy("encode.bias", code_.encode_bias, code.encode_bias);
  copy("decode.weight", code_.decode_weight, code.decode_weight);
  copy("decode.bias", code_.decode_bias, code.decode_bias);
}

void start_as_identity(const Conv2d& conv) {
  torch::NoGradGuard no_grad;
  const auto width = conv->weight.size(0);
  if (width == conv->weight.size(1)) conv->weight.copy_(at::eye(width).view({width, width, 1, 1}));
  conv->bias.zero_();
}

}  // namespace ldm
