#pragma once

#include <torch/types.h>

#include <cstdint>

#include "ldm/nn/autoencoder.h"
#include "ldm/nn/first_stage.h"
#include "ldm/nn/linear_shortcut.h"

namespace ldm {

// A normal distribution with independent entries, [N, C, H, W]; the log-variance lies in [-30, 20].
struct DiagonalGaussian {
  torch::Tensor mean, logvar;

  // moments [N, 2 C, H, W]: means, then log-variances (clamped here).
  static DiagonalGaussian from_moments(const torch::Tensor& moments);
  torch::Tensor stddev() const;
  torch::Tensor mode() const { return mean; }
  torch::Tensor sample(const torch::Tensor& noise) const;  // noise: standard normal of the mean's shape.
  torch::Tensor kl() const;  // To the standard normal, summed over C, H, W: [N].
};

// AutoencoderKL of latent-diffusion (Rombach et al. 2022, Sec. 3.1 and App. G).
// Parameters: encoder, decoder, quant_conv, post_quant_conv; with linear_shortcut also `shortcut`, and then
// the networks start at zero: the mean is that of the linear code and the log-variance -6.
class AutoencoderKL : public FirstStage {
 public:
  AutoencoderKL(const AutoencoderOptions& options, int64_t embed_dim);  // Throws kUsage without double_z.

  torch::Tensor encode_moments(const torch::Tensor& images) const;  // [N, 2 embed_dim, H/f, W/f]
  DiagonalGaussian posterior(const torch::Tensor& images) const;
  torch::Tensor encode(const torch::Tensor& images, const torch::Tensor& noise = {}) const override;
  torch::Tensor decode(const torch::Tensor& latents) const override;

  int64_t downsampling() const override { return downsampling_; }
  int64_t latent_channels() const override { return embed_dim_; }
  const torch::Tensor& last_layer() const { return decoder_->last_layer(); }
  LinearShortcut* shortcut() const { return shortcut_.get(); }  // Null without one.

 protected:
  int64_t encode_bytes(int64_t height, int64_t width) const override;
  int64_t decode_bytes(int64_t height, int64_t width) const override;
  torch::Tensor encode_bands(const torch::Tensor& image, const CodingLimits& limits) const override;
  torch::Tensor decode_bands(const torch::Tensor& latents, const CodingLimits& limits) const override;

 private:
  int64_t embed_dim_, downsampling_;
  Layer<Encoder> encoder_;
  Layer<Decoder> decoder_;
  Conv2d quant_conv_, post_quant_conv_;
  std::shared_ptr<LinearShortcut> shortcut_;
};

}  // namespace ldm
