#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <cstdint>

#include "ldm/nn/coding_limits.h"

namespace ldm {

// The first stage of latent diffusion (Rombach et al. 2022, Sec. 3.1): images [N, C, H, W] in [-1, 1] to
// latents [N, z, H/f, W/f] and back. H and W must be multiples of f. The diffusion model sees nothing else of
// it.
class FirstStage : public torch::nn::Module {
 public:
  // noise: standard normal of the latents' shape draws from the posterior; undefined gives its mode. First
  // stages without a posterior ignore it.
  virtual torch::Tensor encode(const torch::Tensor& images, const torch::Tensor& noise = {}) const = 0;
  virtual torch::Tensor decode(const torch::Tensor& latents) const = 0;

  // The same for inference, in as many calls and bands of rows as the limits demand; results agree to
  // rounding. What sees the whole picture at once (attention, at the latents' size) is not split, whatever
  // the limit. encode_within takes the posterior's mode.
  torch::Tensor encode_within(const torch::Tensor& images, const CodingLimits& limits) const;
  torch::Tensor decode_within(const torch::Tensor& latents, const CodingLimits& limits) const;

  virtual int64_t downsampling() const = 0;     // f
  virtual int64_t latent_channels() const = 0;  // z
  // True where latents come out as the diffusion model sees them: its scale_factor is inside.
  virtual bool scaled_latents() const { return false; }

 protected:
  // Bytes that encode and decode have in use at most beside weights and result, for one picture of this size
  // (height and width of what goes in); 0: not worth counting.
  virtual int64_t encode_bytes(int64_t /*height*/, int64_t /*width*/) const { return 0; }
  virtual int64_t decode_bytes(int64_t /*height*/, int64_t /*width*/) const { return 0; }
  // One picture, [1, ...], in bands.
  virtual torch::Tensor encode_bands(const torch::Tensor& image, const CodingLimits&) const {
    return encode(image);
  }
  virtual torch::Tensor decode_bands(const torch::Tensor& latents, const CodingLimits&) const {
    return decode(latents);
  }
};

// Images are their own latents: diffusion in pixel space (LDM-1). No parameters.
class IdentityFirstStage : public FirstStage {
 public:
  explicit IdentityFirstStage(int64_t channels = 3) : channels_(channels) {}
  torch::Tensor encode(const torch::Tensor& images, const torch::Tensor& = {}) const override {
    return images;
  }
  torch::Tensor decode(const torch::Tensor& latents) const override { return latents; }
  int64_t downsampling() const override { return 1; }
  int64_t latent_channels() const override { return channels_; }

 private:
  int64_t channels_;
};

}  // namespace ldm
