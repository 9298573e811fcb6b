#pragma once

#include <torch/types.h>

#include <memory>
#include <span>
#include <string>

#include "ldm/diffusion/loss_weight.h"
#include "ldm/diffusion/training.h"
#include "ldm/model/latent_diffusion.h"
#include "ldm/train/loss_terms.h"

namespace ldm {

// The loss of latent diffusion (Rombach et al. 2022, Eq. 2), with all of the original's knobs, which stand in
// LatentDiffusionOptions (LatentDiffusion.p_losses, ldm/models/diffusion/ddpm.py).
class DiffusionObjective {
 public:
  // `weight` is ours and multiplies the simple term. Throws kUsage for an unknown loss_type, and for a weight
  // beside the original's own (original_elbo_weight, learn_logvar).
  DiffusionObjective(std::shared_ptr<const LatentDiffusion> model, const LossWeightOptions& weight,
                     at::Device device);

  // clean (times scale_factor) and noise [N, C, H, W], t [N] (int64), one condition each; tensors on the
  // device. Log: loss_simple and loss_vlb, means before their weights, and with learn_logvar loss_gamma and
  // logvar.
  LossTerms loss(const torch::Tensor& clean, const torch::Tensor& noise, const torch::Tensor& t,
                 const Conditioning& condition) const;

  // |prediction - target|^p of each sample, mean over its numbers: [N].
  torch::Tensor sample_losses(const torch::Tensor& clean, const torch::Tensor& noise, const torch::Tensor& t,
                              const Conditioning& condition) const;

  // The log-variance of each timestep's loss [timesteps]; a parameter with learn_logvar, else the constant
  // logvar_init.
  const torch::Tensor& logvar() const { return logvar_; }
  bool learns_logvar() const { return logvar_.requires_grad(); }

 private:
  std::shared_ptr<const LatentDiffusion> model_;
  LossType loss_type_;
  torch::Tensor weights_, lvlb_weights_;  // [timesteps]
  torch::Tensor logvar_;
};

}  // namespace ldm
