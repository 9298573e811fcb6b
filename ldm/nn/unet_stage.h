#pragma once

#include <torch/nn/module.h>

#include <memory>
#include <variant>
#include <vector>

#include "ldm/nn/unet_plan.h"

namespace ldm {

// Parts run one after the other, each given what it needs of the time embedding and the condition.
// x [N, C, H, W], emb [N, E] -> [N, C', H', W']. Parameters: 0, 1, 2.
class UNetStage : public torch::nn::Module {
 public:
  // recompute: the backward pass computes the parts again instead of keeping what they computed.
  explicit UNetStage(const UNetStageSpec& spec, bool recompute = false);
  torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& emb, const Context& context) const;

 private:
  using Part = std::variant<Conv2d, std::shared_ptr<ResBlock>, std::shared_ptr<AttentionBlock>,
                            std::shared_ptr<SpatialTransformer>, std::shared_ptr<Downsample>,
                            std::shared_ptr<Upsample>>;
  torch::Tensor run(const torch::Tensor& x, const torch::Tensor& emb, const Context& context) const;

  std::vector<Part> parts_;
  bool recompute_;
};

}  // namespace ldm
