#pragma once

#include <torch/nn/module.h>

#include <memory>
#include <vector>

#include "ldm/nn/cross_attention.h"
#include "ldm/nn/label_embedding.h"
#include "ldm/nn/layers.h"
#include "ldm/nn/unet_options.h"
#include "ldm/nn/unet_plan.h"
#include "ldm/nn/unet_stage.h"

namespace ldm {

// What the trunk makes of its input.
struct TrunkFeatures {
  std::vector<torch::Tensor> skips;  // Of each input block, the finest first.
  torch::Tensor middle;
};

// The embedding of time and label, and the way down: what the UNet, its ControlNet and the classifier of
// noisy latents have in common. Parameters: time_embed.{0,2}, label_emb, input_blocks.{i}.{j},
// middle_block.{j}.
class UNetTrunk {
 public:
  // Registers its layers in `parent`.
  UNetTrunk(torch::nn::Module& parent, const UNetOptions& options, const UNetPlan& plan);

  // Throws kUsage unless x [N, in_channels, H, W], t [N], context [N, S, context_dim] and y fit the options.
  void check_inputs(const torch::Tensor& x, const torch::Tensor& t, const Context& context,
                    const torch::Tensor& y) const;

  // Time embedding, plus the label's: [N, E] in the weights' dtype.
  torch::Tensor embed(const torch::Tensor& t, const torch::Tensor& y) const;

  // x and context in the dtype of emb. hint: added to the first block's result; undefined for none.
  TrunkFeatures forward(const torch::Tensor& x, const torch::Tensor& emb, const Context& context,
                        const torch::Tensor& hint = {}) const;

 private:
  UNetOptions options_;
  Linear time_in_;
  Linear time_out_;
  LabelEmbedding label_;
  std::vector<std::shared_ptr<UNetStage>> input_;
  std::shared_ptr<UNetStage> middle_;
};

}  // namespace ldm
