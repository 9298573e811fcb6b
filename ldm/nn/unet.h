#pragma once

#include <torch/nn/module.h>

#include <memory>
#include <vector>

#include "ldm/nn/cross_attention.h"
#include "ldm/nn/layers.h"
#include "ldm/nn/unet_options.h"
#include "ldm/nn/unet_plan.h"
#include "ldm/nn/unet_stage.h"
#include "ldm/nn/unet_trunk.h"

namespace ldm {

// The denoising network of latent diffusion (Rombach et al. 2022, Sec. 3.2-3.3): a UNet with a time
// embedding, and attention to a condition. Parameter names are the original's UNetModel: time_embed.{0,2},
// label_emb, input_blocks.{i}.{j}, middle_block.{j}, output_blocks.{i}.{j}, out.{0,2}, id_predictor.{0,1}.
class UNet : public torch::nn::Module {
 public:
  // Throws kUsage for settings that contradict each other.
  explicit UNet(const UNetOptions& options);

  // x [N, in_channels, H, W], t [N] (may be fractional), context of tokens [N, S, context_dim] (if the
  // options have a context_dim), y: the label (if they have num_classes) -> [N, out_channels or n_embed, H,
  // W] in the dtype of x. Computes in the weights' dtype. Any height and width that can be halved at each
  // level; on the way up an odd one is met again by cutting, or by repeating the edge. residuals: a
  // ControlNet's, added to the result of each input block and of the middle; or none.
  torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& t, const Context& context = {},
                        const torch::Tensor& y = {}, const std::vector<torch::Tensor>& residuals = {}) const;

  const UNetOptions& options() const { return options_; }

 private:
  UNet(const UNetOptions& options, const UNetPlan& plan);

  UNetOptions options_;
  UNetTrunk trunk_;
  std::vector<std::shared_ptr<UNetStage>> output_;
  GroupNorm norm_out_;
  Conv2d conv_out_;
  GroupNorm logits_norm_;  // Only with n_embed; conv_out_ is then unused, but in every checkpoint.
  Conv2d logits_conv_;
};

}  // namespace ldm
