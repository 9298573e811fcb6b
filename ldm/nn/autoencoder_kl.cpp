#include "ldm/nn/autoencoder_kl.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/exp.h>

#include "ldm/core/error.h"

namespace ldm {
namespace {

constexpr double kStartLogVariance = -6.0;  // With a linear shortcut.

}  // namespace

DiagonalGaussian DiagonalGaussian::from_moments(const torch::Tensor& moments) {
  check(moments.dim() >= 2 && moments.size(1) % 2 == 0,
        "DiagonalGaussian: expected moments [N, 2 C, ...], got ", moments.sizes());
  const auto halves = moments.chunk(2, /*dim=*/1);
  return {.mean = halves[0], .logvar = at::clamp(halves[1], -30.0, 20.0)};
}
torch::Tensor DiagonalGaussian::stddev() const { return at::exp(0.5 * logvar); }
torch::Tensor DiagonalGaussian::sample(const torch::Tensor& noise) const {
  check(noise.sizes() == mean.sizes(), "DiagonalGaussian: expected noise of shape ", mean.sizes(), ", got ",
        noise.sizes());
  return mean + stddev() * noise.to(mean.options());
}
torch::Tensor DiagonalGaussian::kl() const {
  return 0.5 * (mean.square() + logvar.exp() - 1.0 - logvar).flatten(1).sum(1);
}

AutoencoderKL::AutoencoderKL(const AutoencoderOptions& o, int64_t embed_dim)
    : embed_dim_(embed_dim), downsampling_(o.downsampling()) {
  check(o.double_z, "AutoencoderKL: expected double_z: true");
  check(embed_dim > 0, "AutoencoderKL: expected a positive embed_dim, got ", embed_dim);
  encoder_ = add(*this, "encoder", Layer<Encoder>(std::make_shared<Encoder>(o)));
  decoder_ = add(*this, "decoder", Layer<Decoder>(std::make_shared<Decoder>(o)));
  quant_conv_ = add(*this, "quant_conv", conv1x1(2 * o.z_channels, 2 * embed_dim));
  post_quant_conv_ = add(*this, "post_quant_conv", conv1x1(embed_dim, o.z_channels));
  if (!o.linear_shortcut) return;
  shortcut_ = add(*this, "shortcut",
                  std::make_shared<LinearShortcut>(o.in_channels, o.out_ch, embed_dim, downsampling_));
  start_as_identity(quant_conv_);
  start_as_identity(post_quant_conv_);
  torch::NoGradGuard no_grad;
  quant_conv_->bias.slice(0, embed_dim).fill_(kStartLogVariance);
}

torch::Tensor AutoencoderKL::encode_moments(const torch::Tensor& images) const {
  const auto moments = quant_conv_(encoder_(images));
  if (!shortcut_) return moments;
  const auto halves = moments.chunk(2, /*dim=*/1);
  return at::cat({halves[0] + shortcut_->encode(images), halves[1]}, /*dim=*/1);
}

DiagonalGaussian AutoencoderKL::posterior(const torch::Tensor& images) const {
  return DiagonalGaussian::from_moments(encode_moments(images));
}

torch::Tensor AutoencoderKL::encode(const torch::Tensor& images, const torch::Tensor& noise) const {
  const auto p = posterior(images);
  return noise.defined() ? p.sample(noise) : p.mode();
}

torch::Tensor AutoencoderKL::decode(const torch::Tensor& latents) const {
  const auto images = decoder_(post_quant_conv_(latents));
  return shortcut_ ? images + shortcut_->decode(latents) : images;
}

int64_t AutoencoderKL::encode_bytes(int64_t height, int64_t width) const {
  return encoder_->forward_bytes(height, width);
}
int64_t AutoencoderKL::decode_bytes(int64_t height, int64_t width) const {
  return decoder_->forward_bytes(height, width);
}
torch::Tensor AutoencoderKL::encode_bands(const torch::Tensor& image, const CodingLimits& limits) const {
  const auto mean = quant_conv_(encoder_->forward_within(image, limits)).chunk(2, /*dim=*/1)[0];
  return shortcut_ ? mean + shortcut_->encode(image) : mean;
}
torch::Tensor AutoencoderKL::decode_bands(const torch::Tensor& latents, const CodingLimits& limits) const {
  auto image = decoder_->forward_within(post_quant_conv_(latents), limits);
  return shortcut_ ? image.add_(shortcut_->decode(latents)) : image;
}

}  // namespace ldm
