#pragma once

#include <torch/types.h>

#include <cstdint>
#include <memory>

#include "ldm/nn/autoencoder.h"
#include "ldm/nn/first_stage.h"
#include "ldm/nn/linear_shortcut.h"
#include "ldm/nn/vector_quantizer.h"

namespace ldm {

// VQModel and VQModelInterface of latent-diffusion in one: encode gives the continuous latents before
// quantisation, decode quantises first, so that quantisation is the decoder's first layer and diffusion never
// sees it. Parameters: encoder, decoder, quantize.embedding.weight, quant_conv, post_quant_conv; with
// linear_shortcut also `shortcut`, and then the networks start at zero.
class VQModel : public FirstStage {
 public:
  // quantizer.e_dim is the original's embed_dim. Throws kUsage with double_z.
  VQModel(const AutoencoderOptions& options, const VectorQuantizerOptions& quantizer);

  torch::Tensor encode(const torch::Tensor& images, const torch::Tensor& noise = {}) const override;
  torch::Tensor decode(const torch::Tensor& latents) const override;
  Quantized quantize(const torch::Tensor& latents) const { return quantize_->forward(latents); }
  torch::Tensor decode_quantized(const torch::Tensor& codes) const;  // force_not_quantize of the original.

  int64_t downsampling() const override { return downsampling_; }
  int64_t latent_channels() const override { return quantize_->code_channels(); }
  const torch::Tensor& last_layer() const { return decoder_->last_layer(); }
  const torch::Tensor& codebook() const { return quantize_->codebook(); }
  LinearShortcut* shortcut() const { return shortcut_.get(); }  // Null without one.

 protected:
  int64_t encode_bytes(int64_t height, int64_t width) const override;
  int64_t decode_bytes(int64_t height, int64_t width) const override;
  torch::Tensor encode_bands(const torch::Tensor& image, const CodingLimits& limits) const override;
  torch::Tensor decode_bands(const torch::Tensor& latents, const CodingLimits& limits) const override;

 private:
  int64_t downsampling_;
  Layer<Encoder> encoder_;
  Layer<Decoder> decoder_;
  Layer<VectorQuantizer> quantize_;
  Conv2d quant_conv_, post_quant_conv_;
  std::shared_ptr<LinearShortcut> shortcut_;
};

}  // namespace ldm
