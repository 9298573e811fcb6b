#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

namespace ldm {

// A linear map of f x f patches to latents and back, beside the encoder and the decoder: the network then
// learns what a linear code (see pca.h) leaves over, and never shows garbage while it does. encode: images
// [N, in, f h, f w] -> [N, z, h, w]; decode: latents [N, z, h, w] -> [N, out, f h, f w]. Parameters:
// encode.weight [z, in, f, f], encode.bias [z], decode.weight [z, out, f, f], decode.bias [out, f, f].
class LinearShortcut : public torch::nn::Module {
 public:
  LinearShortcut(int64_t in_channels, int64_t out_channels, int64_t latent_channels, int64_t patch);
  torch::Tensor encode(const torch::Tensor& images) const;
  torch::Tensor decode(const torch::Tensor& latents) const;

 private:
  torch::Tensor encode_weight_, encode_bias_, decode_weight_, decode_bias_;
  int64_t patch_;
};

}  // namespace ldm
