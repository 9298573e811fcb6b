#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <memory>
#include <string_view>

#include "ldm/nn/layers.h"
#include "ldm/nn/row_store.h"

namespace ldm {

// Of every GroupNorm of a first stage; the UNet has 1e-5.
inline constexpr double kFirstStageNormEps = 1e-6;
inline constexpr int64_t kFirstStageNormGroups = 32;

// silu(norm(x)) of a map that is made in rows, with a norm as all in a first stage are.
RowMapPtr norm_silu_rows(const GroupNorm& norm, const RowMapPtr& x, const RowStore& store);

// The blocks of the autoencoders of latent-diffusion (ldm/modules/diffusionmodules/model.py). Group norms
// have 32 groups and eps 1e-6, so every width is a multiple of 32.

struct ResnetBlockOptions {
  int64_t in_channels = 0;
  int64_t out_channels = 0;
  bool conv_shortcut = false;  // Where the widths differ: a 3x3 shortcut instead of a 1x1.
  double dropout = 0.0;
  int64_t temb_channels = 0;  // Width of a time embedding; 0 = none (always so in a first stage).
};

// forward: x [N, Cin, H, W], temb [N, E] or undefined -> [N, Cout, H, W].
// Parameters: norm1, conv1, temb_proj, norm2, conv2, nin_shortcut or conv_shortcut.
class ResnetBlock : public torch::nn::Module {
 public:
  explicit ResnetBlock(const ResnetBlockOptions& options);
  torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& temb = {}) const;

  // The same without a time embedding, for inference, as far as there is room in the store: as a whole; in
  // rows; or in rows on demand, by whoever asks the result for some. x may lose its content.
  RowMapPtr forward_rows(RowMapPtr x, const RowStore& store) const;
  // Bytes that forward takes beside x, [1, Cin, height, width]; the result's are among them.
  int64_t forward_bytes(int64_t height, int64_t width) const;
  int64_t out_channels() const { return conv2_->weight.size(0); }

 private:
  double dropout_;
  GroupNorm norm1_;
  Conv2d conv1_;
  Linear temb_proj_;  // Empty without a time embedding.
  GroupNorm norm2_;
  Conv2d conv2_;
  Conv2d shortcut_;  // Empty when Cin == Cout.
};

// Attention over the positions of a feature map, [N, C, H, W] -> the same shape.
class SpatialAttention : public torch::nn::Module {
 public:
  virtual torch::Tensor forward(const torch::Tensor& x) const = 0;
};

// One head over all channels, with norm and residual. Parameters: norm, q, k, v, proj_out (1x1 convolutions).
class AttnBlock : public SpatialAttention {
 public:
  explicit AttnBlock(int64_t channels);
  torch::Tensor forward(const torch::Tensor& x) const override;

 private:
  GroupNorm norm_;
  Conv2d q_, k_, v_, proj_out_;
};

// Linear attention (Shen et al. 2018) as in the original: without norm, without residual, queries not scaled.
// Parameters: to_qkv (no bias), to_out.
class LinAttnBlock : public SpatialAttention {
 public:
  explicit LinAttnBlock(int64_t channels);
  torch::Tensor forward(const torch::Tensor& x) const override;

 private:
  Conv2d to_qkv_, to_out_;
};

// type: "vanilla", "linear", or "none" for an empty layer. Throws kUsage for another.
Layer<SpatialAttention> make_attention(std::string_view type, int64_t channels);

// Halves H and W: zeros to the right and below, then a 3x3 convolution of stride 2; or the mean of 2x2.
// Parameter: conv.
class FirstStageDownsample : public torch::nn::Module {
 public:
  FirstStageDownsample(int64_t channels, bool with_conv);
  torch::Tensor forward(const torch::Tensor& x) const;
  RowMapPtr forward_rows(const RowMapPtr& x) const { return halved(x, conv_); }

 private:
  Conv2d conv_;
};

// Doubles H and W by repetition, then a 3x3 convolution if asked. Parameter: conv.
class FirstStageUpsample : public torch::nn::Module {
 public:
  FirstStageUpsample(int64_t channels, bool with_conv);
  torch::Tensor forward(const torch::Tensor& x) const;
  RowMapPtr forward_rows(const RowMapPtr& x) const {
    return conv_ ? convolved(doubled(x), conv_) : doubled(x);
  }

 private:
  Conv2d conv_;
};

}  // namespace ldm
