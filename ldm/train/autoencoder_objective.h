#pragma once

#include <torch/types.h>

#include <cstdint>
#include <memory>

#include "ldm/nn/first_stage.h"
#include "ldm/nn/linear_shortcut.h"
#include "ldm/train/autoencoder_loss.h"
#include "ldm/train/run_config.h"

namespace ldm {

// One pass through the autoencoder.
struct Reconstruction {
  torch::Tensor images, result;  // [N, 3, H, W]
  torch::Tensor regulariser;     // KL: the divergence of each sample [N]; VQ: the codebook loss, a scalar.
};

// The autoencoder that is trained and its loss, one of the two kinds (KL or VQ).
class AutoencoderObjective {
 public:
  virtual ~AutoencoderObjective() = default;

  // posterior_noise draws the latents (KL), latent_noise (times model.params.latent_noise) is added before
  // decoding; both unit noise [N, z, h, w].
  virtual Reconstruction reconstruct(const torch::Tensor& images, const torch::Tensor& posterior_noise,
                                     const torch::Tensor& latent_noise) const = 0;
  virtual LossTerms generator_loss(const Reconstruction& pass, int64_t step) const = 0;

  virtual FirstStage& first_stage() const = 0;
  virtual AdversarialLoss& loss() const = 0;
  virtual LinearShortcut* shortcut() const = 0;  // Null without one.
};

// From the model section: target autoencoder_kl with kl_loss, or vq_model with vq_loss. Throws kUsage.
std::unique_ptr<AutoencoderObjective> make_autoencoder_objective(const ModelSection& model);

}  // namespace ldm
