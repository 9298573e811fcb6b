#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

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

  virtual int64_t downsampling() const = 0;     // f
  virtual int64_t latent_channels() const = 0;  // z
  // True where latents come out as the diffusion model sees them: its scale_factor is inside.
  virtual bool scaled_latents() const { return false; }
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
