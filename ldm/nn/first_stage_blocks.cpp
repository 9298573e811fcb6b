#include "ldm/nn/first_stage_blocks.h"

#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/upsample_nearest2d.h>

#include "ldm/core/error.h"

namespace ldm {
namespace {

// [N, C, H, W] -> [N, 1, H*W, C], one head.
torch::Tensor to_tokens(const torch::Tensor& x) {
  return x.flatten(2).transpose(1, 2).contiguous().unsqueeze(1);
}

}  // namespace

ResnetBlock::ResnetBlock(const ResnetBlockOptions& o)
    : dropout_(o.dropout),
      norm1_(add(*this, "norm1", group_norm(o.in_channels, kFirstStageNormEps))),
      conv1_(add(*this, "conv1", conv3x3(o.in_channels, o.out_channels))) {
  if (o.temb_channels > 0) temb_proj_ = add(*this, "temb_proj", linear(o.temb_channels, o.out_channels));
  norm2_ = add(*this, "norm2", group_norm(o.out_channels, kFirstStageNormEps));
  conv2_ = add(*this, "conv2", conv3x3(o.out_channels, o.out_channels));
  if (o.in_channels == o.out_channels) return;
  shortcut_ = o.conv_shortcut ? add(*this, "conv_shortcut", conv3x3(o.in_channels, o.out_channels))
                              : add(*this, "nin_shortcut", conv1x1(o.in_channels, o.out_channels));
}

torch::Tensor ResnetBlock::forward(const torch::Tensor& x, const torch::Tensor& temb) const {
  auto h = conv1_(norm_silu(norm1_, x));
  if (temb_proj_) {
    check(temb.defined(), "ResnetBlock: expected a time embedding, got none");
    h = h + temb_proj_(at::silu(temb)).unsqueeze(-1).unsqueeze(-1);
  }
  h = norm_silu(norm2_, h);
  if (dropout_ > 0) h = at::dropout(h, dropout_, is_training());
  return conv2_(h).add_(shortcut_ ? shortcut_(x) : x);
}

AttnBlock::AttnBlock(int64_t channels)
    : norm_(add(*this, "norm", group_norm(channels, kFirstStageNormEps))),
      q_(add(*this, "q", conv1x1(channels, channels))),
      k_(add(*this, "k", conv1x1(channels, channels))),
      v_(add(*this, "v", conv1x1(channels, channels))),
      proj_out_(add(*this, "proj_out", conv1x1(channels, channels))) {}

torch::Tensor AttnBlock::forward(const torch::Tensor& x) const {
  const auto h = norm_(x);
  const auto out = attention(to_tokens(q_(h)), to_tokens(k_(h)), to_tokens(v_(h)));
  return x + proj_out_(out.squeeze(1).transpose(1, 2).reshape(x.sizes()));
}

LinAttnBlock::LinAttnBlock(int64_t channels)
    : to_qkv_(add(*this, "to_qkv", conv1x1(channels, 3 * channels, /*bias=*/false))),
      to_out_(add(*this, "to_out", conv1x1(channels, channels))) {}

torch::Tensor LinAttnBlock::forward(const torch::Tensor& x) const {
  const auto qkv = to_qkv_(x).flatten(2).chunk(3, /*dim=*/1);  // 3 of [N, C, T]
  const auto weights = at::softmax(qkv[1], /*dim=*/2);
  const auto context = at::bmm(weights, qkv[2].transpose(1, 2));  // [N, Ck, Cv]
  return to_out_(at::bmm(context.transpose(1, 2), qkv[0]).view(x.sizes()));
}

Layer<SpatialAttention> make_attention(std::string_view type, int64_t channels) {
  if (type == "none") return {};
  // The original's successors name the kernel too; it computes the same.
  if (type == "vanilla" || type == "vanilla-xformers")
    return Layer<SpatialAttention>(std::make_shared<AttnBlock>(channels));
  check(type == "linear", "attn_type: expected vanilla, linear or none, got '", type, "'");
  return Layer<SpatialAttention>(std::make_shared<LinAttnBlock>(channels));
}

FirstStageDownsample::FirstStageDownsample(int64_t channels, bool with_conv) {
  if (!with_conv) return;
  conv_ = add(*this, "conv",
              conv2d({.in_channels = channels, .out_channels = channels, .stride = 2, .padding = 0}));
}
torch::Tensor FirstStageDownsample::forward(const torch::Tensor& x) const {
  return conv_ ? conv_(at::constant_pad_nd(x, {0, 1, 0, 1})) : at::avg_pool2d(x, {2, 2}, {2, 2});
}

FirstStageUpsample::FirstStageUpsample(int64_t channels, bool with_conv) {
  if (with_conv) conv_ = add(*this, "conv", conv3x3(channels, channels));
}
torch::Tensor FirstStageUpsample::forward(const torch::Tensor& x) const {
  const auto up = at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)});
  return conv_ ? conv_(up) : up;
}

}  // namespace ldm
