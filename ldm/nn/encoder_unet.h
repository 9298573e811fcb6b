#pragma once

#include <torch/nn/module.h>

#include <functional>
#include <string>

#include "ldm/nn/unet_options.h"
#include "ldm/nn/unet_trunk.h"

namespace ldm {

// Keys of the original's EncoderUNetModel: the UNet's that concern the way down, and the head.
struct EncoderUNetOptions {
  UNetOptions unet{.num_heads = 1};
  std::string pool = "adaptive";  // adaptive, attention, spatial or spatial_v2.

  template <typename Visit>
  void fields(Visit&& visit) {
    unet.fields(visit);
    visit("pool", pool, "head: adaptive, attention, spatial or spatial_v2");
  }
};

// The classifier of noisy latents (Dhariwal & Nichol 2021, Sec. 4; Rombach et al. 2022, App. C): the UNet's
// way down and a head. Parameters: those of UNetTrunk, and `out` by the kind of pool:
//   adaptive    out.{0,3}      GroupNorm, SiLU, mean over the pixels, 1x1 convolution
//   attention   out.{0,2}      GroupNorm, SiLU, AttentionPool2d; needs num_head_channels
//   spatial     out.{0,2}      the means of all features, Linear to 2048, ReLU, Linear
//   spatial_v2  out.{0,1,3}    the same with GroupNorm and SiLU between the two
class EncoderUNet : public torch::nn::Module {
 public:
  // Throws kUsage for another pool and for settings that only a whole UNet has.
  explicit EncoderUNet(const EncoderUNetOptions& options);
  // x [N, in_channels, H, W], t [N] -> [N, out_channels] in the dtype of x.
  torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& t) const;

 private:
  using Head = std::function<torch::Tensor(const TrunkFeatures&)>;
  EncoderUNet(const EncoderUNetOptions& options, const UNetPlan& plan);
  Head make_head(const EncoderUNetOptions& options, const UNetPlan& plan);
  Head pooled_head(const EncoderUNetOptions& options, int64_t width);
  Head spatial_head(const EncoderUNetOptions& options, int64_t width);

  UNetTrunk trunk_;
  Head head_;
};

}  // namespace ldm
