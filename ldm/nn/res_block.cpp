#include "ldm/nn/res_block.h"

#include <ATen/ATen.h>

#include "ldm/nn/resample_layers.h"

namespace ldm {
namespace {

torch::Tensor resized(const torch::Tensor& x, Resample resample) {
  switch (resample) {
    case Resample::kDown:
      return downsample_average(x);
    case Resample::kUp:
      return upsample_nearest(x);
    case Resample::kNone:
      break;
  }
  return x;
}

}  // namespace

ResBlock::ResBlock(const ResBlockOptions& o)
    : options_(o),
      norm_in_(add(*this, "in_layers.0", group_norm(o.in_channels))),
      conv_in_(add(*this, "in_layers.2", conv3x3(o.in_channels, o.out_channels))),
      emb_proj_(add(*this, "emb_layers.1",
                    linear(o.emb_channels, (o.use_scale_shift_norm ? 2 : 1) * o.out_channels))),
      norm_out_(add(*this, "out_layers.0", group_norm(o.out_channels))),
      conv_out_(add(*this, "out_layers.3", zeroed(conv3x3(o.out_channels, o.out_channels)))) {
  if (o.in_channels != o.out_channels) {
    skip_ =
        add(*this, "skip_connection",
            o.conv_skip ? conv3x3(o.in_channels, o.out_channels) : conv1x1(o.in_channels, o.out_channels));
  }
}

torch::Tensor ResBlock::forward(const torch::Tensor& x, const torch::Tensor& emb) const {
  const auto input = resized(x, options_.resample);
  auto h = conv_in_(resized(norm_silu(norm_in_, x), options_.resample));
  const auto e = emb_proj_(at::silu(emb)).unsqueeze(-1).unsqueeze(-1);  // [N, Cout or 2 Cout, 1, 1]
  if (options_.use_scale_shift_norm) {
    const auto scale_shift = e.chunk(2, /*dim=*/1);
    h = at::silu(at::addcmul(scale_shift[1], norm_out_(h), 1 + scale_shift[0]));
  } else {
    h = norm_silu(norm_out_, h + e);
  }
  h = conv_out_(at::dropout(h, options_.dropout, is_training()));
  return h + (skip_ ? skip_(input) : input);
}

}  // namespace ldm
