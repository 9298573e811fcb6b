#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include "ldm/nn/layers.h"

namespace ldm {

// A linear map of f x f patches to latents and back.
struct LinearCode {
  torch::Tensor encode_weight;  // [z, in, f, f]
  torch::Tensor encode_bias;    // [z]
  torch::Tensor decode_weight;  // [z, out, f, f]
  torch::Tensor decode_bias;    // [out, f, f]

  torch::Tensor encode(const torch::Tensor& images) const;   // [N, in, f h, f w] -> [N, z, h, w]
  torch::Tensor decode(const torch::Tensor& latents) const;  // [N, z, h, w] -> [N, out, f h, f w]
};

// A trainable LinearCode beside the encoder and the decoder: the network then learns what a linear code (see
// pca.h) leaves over, and never shows garbage while it does. Parameters: encode.weight, encode.bias,
// decode.weight, decode.bias.
class LinearShortcut : public torch::nn::Module {
 public:
  LinearShortcut(int64_t in_channels, int64_t out_channels, int64_t latent_channels, int64_t patch);
  torch::Tensor encode(const torch::Tensor& images) const { return code_.encode(images); }
  torch::Tensor decode(const torch::Tensor& latents) const { return code_.decode(latents); }
  void assign(const LinearCode& code);  // Copies it in. Throws kUsage if a shape differs.

 private:
  LinearCode code_;
};

// Makes a 1x1 convolution pass on what it gets where its widths agree (otherwise only its bias becomes zero),
// so that gradients reach a network that starts at zero undiluted.
void start_as_identity(const Conv2d& conv);

}  // namespace ldm
