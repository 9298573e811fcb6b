#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "ldm/nn/first_stage_blocks.h"
#include "ldm/nn/layers.h"

namespace ldm {

// The original's `ddconfig`, and four settings of ours at the end whose defaults give the original.
struct AutoencoderOptions {
  bool double_z = true;
  int64_t z_channels = 4;
  int64_t resolution = 256;
  int64_t in_channels = 3;
  int64_t out_ch = 3;
  int64_t ch = 128;
  std::vector<int64_t> ch_mult{1, 2, 4, 8};
  int64_t num_res_blocks = 2;
  std::vector<int64_t> attn_resolutions;
  double dropout = 0.0;
  bool resamp_with_conv = true;
  bool give_pre_end = false;
  bool tanh_out = false;
  bool use_linear_attn = false;
  std::string attn_type = "vanilla";
  bool mid_attn = true;
  int64_t patch_size = 1;
  bool linear_shortcut = false;

  // Pixels per latent in each direction.
  int64_t downsampling() const { return patch_size << (ch_mult.empty() ? 0 : ch_mult.size() - 1); }

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("double_z", double_z, "the encoder gives mean and log-variance (KL) instead of one value (VQ)");
    visit("z_channels", z_channels, "channels of the encoder's result, before quant_conv");
    visit("resolution", resolution,
          "training size in pixels; only decides which levels attn_resolutions names");
    visit("in_channels", in_channels, "channels of the images that go in");
    visit("out_ch", out_ch, "channels of the images that come out");
    visit("ch", ch, "width of the first level, a multiple of 32");
    visit("ch_mult", ch_mult, "width of each level, times ch; each level after the first halves the size");
    visit("num_res_blocks", num_res_blocks, "residual blocks per level (the decoder has one more)");
    visit("attn_resolutions", attn_resolutions, "running resolutions that have attention");
    visit("dropout", dropout, "dropout probability inside residual blocks");
    visit("resamp_with_conv", resamp_with_conv, "a convolution where the size changes");
    visit("give_pre_end", give_pre_end, "the decoder stops before its last norm");
    visit("tanh_out", tanh_out, "the decoder ends in a tanh");
    visit("use_linear_attn", use_linear_attn, "the same as attn_type: linear");
    visit("attn_type", attn_type, "vanilla, linear or none");
    visit("mid_attn", mid_attn, "attention between the two middle blocks");
    visit("patch_size", patch_size,
          "pixels per side that are folded into channels before the first convolution");
    visit("linear_shortcut", linear_shortcut,
          "a linear map of patches beside the network; it starts as the whole");
  }
};

// Two residual blocks with attention between them. Parameters: block_1, attn_1, block_2.
class FirstStageMiddle : public torch::nn::Module {
 public:
  FirstStageMiddle(int64_t channels, const AutoencoderOptions& options);
  torch::Tensor forward(const torch::Tensor& x) const;
  RowMapPtr forward_rows(RowMapPtr x, const RowStore& store) const;
  int64_t forward_bytes(int64_t height, int64_t width) const;  // See ResnetBlock.

 private:
  Layer<ResnetBlock> block_1_;
  Layer<SpatialAttention> attn_1_;  // Empty without attention.
  Layer<ResnetBlock> block_2_;
};

// One resolution of the encoder or the decoder.
struct FirstStageLevel {
  std::vector<Layer<ResnetBlock>> blocks;
  std::vector<Layer<SpatialAttention>> attn;  // Empty, or one per block.
  torch::Tensor forward(torch::Tensor h) const;
  RowMapPtr forward_rows(RowMapPtr h, const RowStore& store) const;
  int64_t forward_bytes(int64_t height, int64_t width) const;  // See ResnetBlock.
};

// forward: x [N, in_channels, H, W] -> [N, z_channels (twice with double_z), H/f, W/f].
// Parameters: conv_in, down.{level}.{block,attn}.{i}, down.{level}.downsample, mid, norm_out, conv_out.
class Encoder : public torch::nn::Module {
 public:
  explicit Encoder(const AutoencoderOptions& options);  // Throws kUsage for options that fit no network.
  torch::Tensor forward(const torch::Tensor& x) const;
  // The same for one picture, for inference, within limits (see first_stage.h); and the bytes that forward
  // takes beside weights and x [1, in_channels, height, width].
  torch::Tensor forward_within(const torch::Tensor& x, const CodingLimits& limits) const;
  int64_t forward_bytes(int64_t height, int64_t width) const;

 private:
  int64_t patch_size_;
  Conv2d conv_in_;
  std::vector<FirstStageLevel> down_;
  std::vector<Layer<FirstStageDownsample>> downsample_;  // After each level but the last.
  Layer<FirstStageMiddle> mid_;
  GroupNorm norm_out_;
  Conv2d conv_out_;
};

// forward: z [N, z_channels, h, w] -> [N, out_ch, f h, f w]; with give_pre_end the features before the last
// norm. Parameters: conv_in, mid, up.{level}.{block,attn}.{i}, up.{level}.upsample, norm_out, conv_out (level
// 0 = finest).
class Decoder : public torch::nn::Module {
 public:
  explicit Decoder(const AutoencoderOptions& options);
  torch::Tensor forward(const torch::Tensor& z) const;
  torch::Tensor forward_within(const torch::Tensor& z,
                               const CodingLimits& limits) const;  // As the encoder's.
  int64_t forward_bytes(int64_t height, int64_t width) const;

  // The weight that the adaptive adversarial weight looks at (Esser et al. 2021, Eq. 7).
  const torch::Tensor& last_layer() const { return conv_out_->weight; }

 private:
  int64_t patch_size_;
  bool give_pre_end_, tanh_out_;
  Conv2d conv_in_;
  Layer<FirstStageMiddle> mid_;
  std::vector<FirstStageLevel> up_;                  // Index = level; run from the last to the first.
  std::vector<Layer<FirstStageUpsample>> upsample_;  // upsample_[i] leads from level i + 1 to level i.
  GroupNorm norm_out_;
  Conv2d conv_out_;
};

}  // namespace ldm
