#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ldm/nn/first_stage.h"
#include "ldm/nn/layers.h"
#include "ldm/nn/state_dict.h"

namespace ldm {

// TAESD and its siblings (github.com/madebyollin/taesd): convolutions and ReLUs of 64 channels that were
// distilled from the autoencoder of a released model. Fast enough for a preview at every step.
struct TinyAutoencoderOptions {
  int64_t latent_channels = 4;  // 4: SD 1, SD 2 and SDXL; 16: SD 3 and FLUX; 32: FLUX.2.
  bool pooled_middle = false;   // The three blocks next to the latents see a GroupNorm of the whole picture
                                // (FLUX.2).
};

// Three 3x3 convolutions and a shortcut, relu(f(x) + x) over 64 channels; with `pooled` x first gets
// conv(relu(GroupNorm(conv(x)))) of 4 groups over 256 channels. Parameters: conv.{0,2,4}, pool.{0,1,3}.
class TinyBlock : public torch::nn::Module {
 public:
  explicit TinyBlock(bool pooled);
  torch::Tensor forward(const torch::Tensor& x) const;

 private:
  Conv2d conv_0_, conv_2_, conv_4_;
  Conv2d pool_0_, pool_3_;  // Empty unless pooled.
  GroupNorm pool_1_;
};

// A chain of layers named by their places, as in the files: encoder {0,1,..14}, decoder {1,3,..19}.
class TinyChain : public torch::nn::Module {
 public:
  static std::shared_ptr<TinyChain> encoder(const TinyAutoencoderOptions& options);
  static std::shared_ptr<TinyChain> decoder(const TinyAutoencoderOptions& options);
  torch::Tensor forward(torch::Tensor x) const;

 private:
  using Step = std::function<torch::Tensor(const torch::Tensor&)>;
  void add_conv(int64_t in, int64_t out, int64_t stride = 1, bool bias = true);
  void add_blocks(int64_t count, bool pooled);
  void add_step(Step step) { steps_.push_back(std::move(step)); }

  std::vector<Step> steps_;
};

// Factor 8. Latents are as the diffusion model sees them, already multiplied by its scale_factor. Parameters:
// encoder.*, decoder.*.
class TinyAutoencoder : public FirstStage {
 public:
  explicit TinyAutoencoder(const TinyAutoencoderOptions& options);  // Throws kUsage without latent channels.

  // From the two files' tensors, the names of which are those of the repository (0.weight, 1.conv.0.weight,
  // ...) or of diffusers' AutoencoderTiny (encoder.layers.*, decoder.layers.*). Which sibling it is follows
  // from them. Throws kFormat with the table of what does not fit.
  static std::shared_ptr<TinyAutoencoder> from_tensors(const StateDict& encoder, const StateDict& decoder);

  torch::Tensor encode(const torch::Tensor& images, const torch::Tensor& noise = {}) const override;
  torch::Tensor decode(const torch::Tensor& latents) const override;
  int64_t downsampling() const override { return 8; }
  int64_t latent_channels() const override { return latent_channels_; }
  bool scaled_latents() const override { return true; }

 protected:
  int64_t encode_bytes(int64_t height, int64_t width) const override;
  int64_t decode_bytes(int64_t height, int64_t width) const override;
  torch::Tensor encode_bands(const torch::Tensor& image, const CodingLimits& limits) const override;
  torch::Tensor decode_bands(const torch::Tensor& latents, const CodingLimits& limits) const override;

 private:
  int64_t band_rows(int64_t height, int64_t width, const CodingLimits& limits) const;  // In latents.

  int64_t latent_channels_;
  bool pooled_middle_;
  Layer<TinyChain> encoder_, decoder_;
};

}  // namespace ldm
