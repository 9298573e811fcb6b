#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <string>

#include "ldm/model/perceptual.h"
#include "ldm/nn/patchgan.h"
#include "ldm/train/loss_terms.h"

namespace ldm {

// What both losses of the original share, under its key names. Additions of ours are off by default.
struct AdversarialLossOptions {
  int64_t disc_start = -1;          // First step at which the discriminator counts. Required.
  double pixelloss_weight = 1.0;    // Accepted and not used, as in the original.
  int64_t disc_num_layers = 3;      // Halvings of the discriminator.
  int64_t disc_in_channels = 3;     // Channels that the discriminator sees.
  int64_t disc_ndf = 64;            // Width of the discriminator's first layer.
  double disc_factor = 1.0;         // Factor on both adversarial losses from disc_start on.
  double disc_weight = 1.0;         // Factor on the adaptive weight.
  double perceptual_weight = 1.0;   // Of the perceptual distance; 0: never computed.
  bool use_actnorm = false;         // ActNorm instead of BatchNorm in the discriminator.
  bool disc_conditional = false;    // The discriminator sees a condition beside the picture.
  std::string disc_loss = "hinge";  // hinge or vanilla.
  // Ours.
  std::string pixel_loss = "l1";    // l1 or l2.
  double gradient_weight = 0.0;     // Of the L1 distance of image gradients at 3 scales; 0: none.
  bool lazy_discriminator = false;  // Leave the discriminator out as long as it does not count.
  bool perceptual_dropout = false;  // LPIPS drops half of its differences while training, as in the original.

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("disc_start", disc_start, "first step at which the discriminator counts");
    visit("pixelloss_weight", pixelloss_weight, "not used, as in the original");
    visit("disc_num_layers", disc_num_layers, "halvings of the discriminator");
    visit("disc_in_channels", disc_in_channels, "channels that the discriminator sees");
    visit("disc_ndf", disc_ndf, "width of the discriminator's first layer");
    visit("disc_factor", disc_factor, "factor on both adversarial losses");
    visit("disc_weight", disc_weight, "factor on the adaptive weight");
    visit("perceptual_weight", perceptual_weight, "weight of the perceptual distance");
    visit("use_actnorm", use_actnorm, "ActNorm instead of BatchNorm in the discriminator");
    visit("disc_conditional", disc_conditional, "the discriminator sees a condition beside the picture");
    visit("disc_loss", disc_loss, "hinge or vanilla");
    visit("pixel_loss", pixel_loss, "l1 or l2");
    visit("gradient_weight", gradient_weight, "weight of the L1 distance of image gradients at 3 scales");
    visit("perceptual_dropout", perceptual_dropout, "dropout inside LPIPS while training, as the original");
    visit("lazy_discriminator", lazy_discriminator, "leave the discriminator out until disc_start");
  }
};

// LPIPSWithDiscriminator (ldm/modules/losses/contperceptual.py).
struct LpipsWithDiscriminatorOptions : AdversarialLossOptions {
  double logvar_init = 0.0;  // Log-variance of the pixels; constant, as the original never trains it.
  double kl_weight = 1.0;    // Of the posterior's KL divergence (summed over a latent, mean over the batch).

  template <typename Visitor>
  void fields(Visitor&& visit) {
    AdversarialLossOptions::fields(visit);
    visit("logvar_init", logvar_init, "log-variance of the pixels");
    visit("kl_weight", kl_weight, "weight of the KL divergence");
  }
};

// VQLPIPSWithDiscriminator (taming/modules/losses/vqperceptual.py).
struct VqLpipsWithDiscriminatorOptions : AdversarialLossOptions {
  double codebook_weight = 1.0;  // Of the quantiser's loss.

  template <typename Visitor>
  void fields(Visitor&& visit) {
    AdversarialLossOptions::fields(visit);
    visit("codebook_weight", codebook_weight, "weight of the codebook loss");
  }
};

// The part that both losses share: reconstruction distance, discriminator (parameters discriminator.main.*,
// under `loss.` in the original's checkpoints) and adaptive weight (Esser et al. 2021, Eq. 7).
class AdversarialLoss : public torch::nn::Module {
 public:
  // Throws kUsage for a missing disc_start, unknown names and a perceptual weight without a function.
  AdversarialLoss(const AdversarialLossOptions& options, PerceptualFn perceptual);

  // The discriminator's own loss. images, reconstructions [N, C, H, W] (both are detached), cond [N, K, H, W]
  // only with disc_conditional. Log: disc_loss, logits_real, logits_fake.
  LossTerms discriminator_step(const torch::Tensor& images, const torch::Tensor& reconstructions,
                               int64_t global_step, const torch::Tensor& cond = {}) const;

  // False where lazy_discriminator leaves it out: then there is nothing for discriminator_step to do.
  bool discriminator_active(int64_t global_step) const;

  // The original's rec_loss: the mean of the reconstruction distance, perceptual part included. A scalar.
  torch::Tensor distance(const torch::Tensor& images, const torch::Tensor& reconstructions) const {
    return reconstruction_map(images, reconstructions).mean();
  }

  PatchDiscriminator& discriminator() const { return *discriminator_; }

 protected:
  // |x - y| (or its square) [N, C, H, W] plus the weighted distances, spread over the pixels; *perceptual, if
  // asked for, is the unweighted perceptual distance.
  torch::Tensor reconstruction_map(const torch::Tensor& images, const torch::Tensor& reconstructions,
                                   torch::Tensor* perceptual = nullptr) const;
  // The generator's adversarial loss times its adaptive weight and factor; logs g_loss, d_weight,
  // disc_factor.
  torch::Tensor adversarial_term(const torch::Tensor& nll, const torch::Tensor& reconstructions,
                                 const torch::Tensor& last_layer, int64_t global_step,
                                 const torch::Tensor& cond, LossTerms& terms) const;

 private:
  double factor_at(int64_t global_step) const;
  torch::Tensor logits(const torch::Tensor& images, const torch::Tensor& cond) const;

  AdversarialLossOptions options_;
  PerceptualFn perceptual_;
  std::shared_ptr<PatchDiscriminator> discriminator_;
};

// The loss of AutoencoderKL: sums over everything divided by the batch. Parameter logvar (frozen).
class LpipsWithDiscriminator : public AdversarialLoss {
 public:
  using Options = LpipsWithDiscriminatorOptions;

  LpipsWithDiscriminator(const LpipsWithDiscriminatorOptions& options, PerceptualFn perceptual);

  // images, reconstructions [N, C, H, W] in [-1, 1]; kl [N], each latent's divergence; last_layer: the weight
  // of the decoder's last convolution; weights: optional, broadcast onto the pixels' negative log-likelihood.
  // Log: total_loss, logvar, kl_loss, nll_loss, rec_loss, d_weight, disc_factor, g_loss.
  LossTerms generator_step(const torch::Tensor& images, const torch::Tensor& reconstructions,
                           const torch::Tensor& kl, const torch::Tensor& last_layer, int64_t global_step,
                           const torch::Tensor& weights = {}, const torch::Tensor& cond = {}) const;

 private:
  double kl_weight_;
  torch::Tensor logvar_;
};

// The loss of VQModel: means over everything.
class VqLpipsWithDiscriminator : public AdversarialLoss {
 public:
  using Options = VqLpipsWithDiscriminatorOptions;

  VqLpipsWithDiscriminator(const VqLpipsWithDiscriminatorOptions& options, PerceptualFn perceptual);

  // As above; codebook_loss: the quantiser's, its mean is taken. Log: total_loss, quant_loss, nll_loss,
  // rec_loss, p_loss, d_weight, disc_factor, g_loss.
  LossTerms generator_step(const torch::Tensor& images, const torch::Tensor& reconstructions,
                           const torch::Tensor& codebook_loss, const torch::Tensor& last_layer,
                           int64_t global_step, const torch::Tensor& cond = {}) const;

 private:
  double codebook_weight_;
};

// Mean over 3 scales (each half the one before) of the L1 norm of the horizontal and vertical differences of
// x - y, mean over channels and pixels: [N, C, H, W] twice -> [N, 1, 1, 1]. Sharpens edges that a plain L1
// leaves soft.
torch::Tensor gradient_distance(const torch::Tensor& x, const torch::Tensor& y);

}  // namespace ldm
