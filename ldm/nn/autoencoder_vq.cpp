#include "ldm/nn/autoencoder_vq.h"

#include "ldm/core/error.h"

namespace ldm {

VQModel::VQModel(const AutoencoderOptions& o, const VectorQuantizerOptions& quantizer)
    : downsampling_(o.downsampling()) {
  check(!o.double_z, "VQModel: expected double_z: false");
  encoder_ = add(*this, "encoder", Layer<Encoder>(std::make_shared<Encoder>(o)));
  decoder_ = add(*this, "decoder", Layer<Decoder>(std::make_shared<Decoder>(o)));
  quantize_ = add(*this, "quantize", Layer<VectorQuantizer>(std::make_shared<VectorQuantizer>(quantizer)));
  quant_conv_ = add(*this, "quant_conv", conv1x1(o.z_channels, quantizer.e_dim));
  post_quant_conv_ = add(*this, "post_quant_conv", conv1x1(quantizer.e_dim, o.z_channels));
  if (!o.linear_shortcut) return;
  shortcut_ = add(*this, "shortcut",
                  std::make_shared<LinearShortcut>(o.in_channels, o.out_ch, quantizer.e_dim, downsampling_));
  start_as_identity(quant_conv_);
  start_as_identity(post_quant_conv_);
}

torch::Tensor VQModel::encode(const torch::Tensor& images, const torch::Tensor&) const {
  const auto latents = quant_conv_(encoder_(images));
  return shortcut_ ? latents + shortcut_->encode(images) : latents;
}

torch::Tensor VQModel::decode(const torch::Tensor& latents) const {
  return decode_quantized(quantize(latents).latents);
}

torch::Tensor VQModel::decode_quantized(const torch::Tensor& codes) const {
  const auto images = decoder_(post_quant_conv_(codes));
  return shortcut_ ? images + shortcut_->decode(codes) : images;
}

int64_t VQModel::encode_bytes(int64_t height, int64_t width) const {
  return encoder_->forward_bytes(height, width);
}
int64_t VQModel::decode_bytes(int64_t height, int64_t width) const {
  return decoder_->forward_bytes(height, width);
}
torch::Tensor VQModel::encode_bands(const torch::Tensor& image, const CodingLimits& limits) const {
  const auto latents = quant_conv_(encoder_->forward_within(image, limits));
  return shortcut_ ? latents + shortcut_->encode(image) : latents;
}
torch::Tensor VQModel::decode_bands(const torch::Tensor& latents, const CodingLimits& limits) const {
  const auto codes = quantize(latents).latents;
  auto image = decoder_->forward_within(post_quant_conv_(codes), limits);
  return shortcut_ ? image.add_(shortcut_->decode(codes)) : image;
}

}  // namespace ldm
