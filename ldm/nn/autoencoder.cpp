#include "ldm/nn/autoencoder.h"

#include <ATen/ops/pixel_shuffle.h>
#include <ATen/ops/pixel_unshuffle.h>
#include <ATen/ops/tanh.h>

#include <algorithm>
#include <utility>

#include "ldm/core/error.h"

namespace ldm {
namespace {

std::string_view attention_type(const AutoencoderOptions& o) {
  return o.use_linear_attn ? std::string_view("linear") : std::string_view(o.attn_type);
}

int64_t width(const AutoencoderOptions& o, int64_t level) {
  return o.ch * o.ch_mult[static_cast<size_t>(level)];
}

void check_options(const AutoencoderOptions& o) {
  check(!o.ch_mult.empty() && o.ch_mult.size() <= 16, "autoencoder: expected 1 to 16 levels in ch_mult, got ",
        o.ch_mult.size());
  check(o.z_channels > 0 && o.in_channels > 0 && o.out_ch > 0 && o.ch > 0 && o.num_res_blocks >= 0,
        "autoencoder: expected positive z_channels, in_channels, out_ch, ch and num_res_blocks >= 0");
  check(o.patch_size > 0, "autoencoder: expected a positive patch_size, got ", o.patch_size);
  check(!o.linear_shortcut || !(o.tanh_out || o.give_pre_end),
        "autoencoder: linear_shortcut does not go with tanh_out or give_pre_end");
}

Layer<ResnetBlock> resnet_block(int64_t in, int64_t out, const AutoencoderOptions& o) {
  return Layer<ResnetBlock>(std::make_shared<ResnetBlock>(
      ResnetBlockOptions{.in_channels = in, .out_channels = out, .dropout = o.dropout}));
}

// Registers the blocks of one level under `name` ("down.0"); the first one changes the width.
FirstStageLevel make_level(torch::nn::Module& parent, const std::string& name, int64_t blocks, int64_t in,
                           int64_t out, int64_t resolution, const AutoencoderOptions& o) {
  const auto& at = o.attn_resolutions;
  const bool attends = std::find(at.begin(), at.end(), resolution) != at.end() && attention_type(o) != "none";
  FirstStageLevel level;
  for (int64_t i = 0; i < blocks; ++i) {
    const auto index = std::to_string(i);
    level.blocks.push_back(add(parent, name + ".block." + index, resnet_block(i == 0 ? in : out, out, o)));
    if (attends)
      level.attn.push_back(add(parent, name + ".attn." + index, make_attention(attention_type(o), out)));
  }
  return level;
}

Conv2d last_conv(int64_t in, int64_t out, const AutoencoderOptions& o) {
  return o.linear_shortcut ? zeroed(conv3x3(in, out)) : conv3x3(in, out);
}

}  // namespace

FirstStageMiddle::FirstStageMiddle(int64_t channels, const AutoencoderOptions& o)
    : block_1_(add(*this, "block_1", resnet_block(channels, channels, o))) {
  if (o.mid_attn) attn_1_ = make_attention(attention_type(o), channels);
  if (attn_1_) add(*this, "attn_1", attn_1_);
  block_2_ = add(*this, "block_2", resnet_block(channels, channels, o));
}

torch::Tensor FirstStageMiddle::forward(const torch::Tensor& x) const {
  auto h = block_1_(x);
  if (attn_1_) h = attn_1_(h);
  return block_2_(h);
}

torch::Tensor FirstStageLevel::forward(torch::Tensor h) const {
  for (size_t i = 0; i < blocks.size(); ++i) {
    h = blocks[i](h);
    if (!attn.empty()) h = attn[i](h);
  }
  return h;
}

Encoder::Encoder(const AutoencoderOptions& o) : patch_size_(o.patch_size) {
  check_options(o);
  conv_in_ = add(*this, "conv_in", conv3x3(o.in_channels * o.patch_size * o.patch_size, o.ch));
  const auto levels = static_cast<int64_t>(o.ch_mult.size());
  int64_t channels = o.ch;
  int64_t resolution = o.resolution / o.patch_size;
  for (int64_t i = 0; i < levels; ++i) {
    const auto name = "down." + std::to_string(i);
    down_.push_back(make_level(*this, name, o.num_res_blocks, channels, width(o, i), resolution, o));
    if (o.num_res_blocks > 0) channels = width(o, i);
    if (i + 1 == levels) break;
    Layer<FirstStageDownsample> half(std::make_shared<FirstStageDownsample>(channels, o.resamp_with_conv));
    downsample_.push_back(add(*this, name + ".downsample", half));
    resolution /= 2;
  }
  mid_ = add(*this, "mid", Layer<FirstStageMiddle>(std::make_shared<FirstStageMiddle>(channels, o)));
  norm_out_ = add(*this, "norm_out", group_norm(channels, kFirstStageNormEps));
  conv_out_ = add(*this, "conv_out", last_conv(channels, (o.double_z ? 2 : 1) * o.z_channels, o));
}

torch::Tensor Encoder::forward(const torch::Tensor& x) const {
  auto h = conv_in_(patch_size_ == 1 ? x : at::pixel_unshuffle(x, patch_size_));
  for (size_t i = 0; i < down_.size(); ++i) {
    h = down_[i].forward(std::move(h));
    if (i < downsample_.size()) h = downsample_[i](h);
  }
  h = mid_(h);
  return conv_out_(norm_silu(norm_out_, h));
}

Decoder::Decoder(const AutoencoderOptions& o)
    : patch_size_(o.patch_size), give_pre_end_(o.give_pre_end), tanh_out_(o.tanh_out) {
  check_options(o);
  const auto levels = static_cast<int64_t>(o.ch_mult.size());
  int64_t channels = width(o, levels - 1);
  int64_t resolution = o.resolution / o.patch_size >> (levels - 1);
  conv_in_ = add(*this, "conv_in", conv3x3(o.z_channels, channels));
  mid_ = add(*this, "mid", Layer<FirstStageMiddle>(std::make_shared<FirstStageMiddle>(channels, o)));
  up_.resize(static_cast<size_t>(levels));
  upsample_.resize(static_cast<size_t>(levels - 1));
  for (int64_t i = levels - 1; i >= 0; --i) {
    const auto name = "up." + std::to_string(i);
    up_[static_cast<size_t>(i)] =
        make_level(*this, name, o.num_res_blocks + 1, channels, width(o, i), resolution, o);
    channels = width(o, i);
    if (i == 0) break;
    Layer<FirstStageUpsample> twice(std::make_shared<FirstStageUpsample>(channels, o.resamp_with_conv));
    upsample_[static_cast<size_t>(i - 1)] = add(*this, name + ".upsample", twice);
    resolution *= 2;
  }
  norm_out_ = add(*this, "norm_out", group_norm(channels, kFirstStageNormEps));
  conv_out_ = add(*this, "conv_out", last_conv(channels, o.out_ch * o.patch_size * o.patch_size, o));
}

torch::Tensor Decoder::forward(const torch::Tensor& z) const {
  auto h = mid_(conv_in_(z));
  for (size_t i = up_.size(); i-- > 0;) {
    h = up_[i].forward(std::move(h));
    if (i > 0) h = upsample_[i - 1](h);
  }
  if (give_pre_end_) return h;
  h = conv_out_(norm_silu(norm_out_, h));
  if (patch_size_ != 1) h = at::pixel_shuffle(h, patch_size_);
  return tanh_out_ ? at::tanh(h) : h;
}

}  // namespace ldm
