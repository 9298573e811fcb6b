#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "ldm/image/image.h"
#include "ldm/model/latent_diffusion.h"
#include "ldm/nn/first_stage.h"

namespace ldm {

// Colours of latents: RGB = weight z + bias in [-1, 1], latent by latent.
struct LatentColours {
  torch::Tensor weight;  // [3, C]
  torch::Tensor bias;    // [3]
};

// The least squares fit for a model's first stage: its encoder is shown pictures made of discs of random
// colour and size, each hiding what is below (dead leaves, which have the statistics of natural
// pictures: Lee, Mumford and Huang 2001), and the pictures, averaged over each latent's square, are the
// colours that are fitted. Latents are as the diffusion model sees them. The same model gives the same fit.
// What published tables of such factors hold for Stable Diffusion is this fit made on photographs; made here,
// it holds for any first stage.
LatentColours fit_latent_colours(const LatentDiffusion& model);
// The same for any way from pictures [1, 3, H, W] in [-1, 1] to latents [1, C, H / factor, W / factor].
LatentColours fit_latent_colours(const std::function<torch::Tensor(const torch::Tensor&)>& encode,
                                 int64_t factor);

// Makes small pictures of latents while they are drawn.
class Preview {
 public:
  // tiny: decodes the latents (nn/tiny_autoencoder.h); null: their colours, fitted here. Throws kUsage when
  // its latents are not the model's.
  Preview(const LatentDiffusion& model, std::shared_ptr<const FirstStage> tiny = {});

  // Latents [N, C, h, w] as the diffusion model sees them to N pictures of the size that they decode to.
  std::vector<Image> pictures(const torch::Tensor& latents) const;

 private:
  std::shared_ptr<const FirstStage> tiny_;
  LatentColours colours_;
  int64_t factor_;
  double scale_;  // Of the model's latents, where the tiny decoder wants them without it.
};

}  // namespace ldm
