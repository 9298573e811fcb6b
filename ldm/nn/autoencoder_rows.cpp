// The networks of first stages in bands of rows, for pictures whose maps do not fit into memory. What each
// forward_rows and forward_within computes is what the forward of the same class does.
#include <ATen/ops/tanh.h>

#include <algorithm>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/nn/autoencoder.h"

namespace ldm {
namespace {

int64_t float_bytes(int64_t channels, int64_t height, int64_t width) {
  return channels * height * width * static_cast<int64_t>(sizeof(float));
}

// Attention sees the whole map. Beside x: the norm, queries, keys, values, their outcome and its projection.
constexpr int64_t kAttentionMaps = 6;

RowMapPtr attend(const Layer<SpatialAttention>& attention, const RowMapPtr& x, const RowStore& store) {
  return store.adopt(attention(store.kept(x)->stored()));
}

}  // namespace

RowMapPtr norm_silu_rows(const GroupNorm& norm, const RowMapPtr& x, const RowStore& store) {
  const auto sums = store.sums(x, norm, kFirstStageNormGroups, kFirstStageNormEps);
  return mapped(x, [sums](const torch::Tensor& rows) { return sums->normalize_silu(rows); });
}

int64_t ResnetBlock::forward_bytes(int64_t height, int64_t width) const {
  const int64_t in = conv1_->weight.size(1), out = out_channels();
  return float_bytes(std::max(in + out, (shortcut_ ? 3 : 2) * out), height, width);
}

RowMapPtr ResnetBlock::forward_rows(RowMapPtr x, const RowStore& store) const {
  check(!temb_proj_, ErrorKind::kInternal, "ResnetBlock: no time embedding in rows");
  const auto whole = x->stored();
  const int64_t out_bytes = float_bytes(out_channels(), x->height(), x->width());
  if (whole.defined() && store.has_scratch(forward_bytes(x->height(), x->width())) &&
      store.has_room(out_bytes))
    return store.adopt(forward(whole));
  const bool in_place = !shortcut_ && store.owns(x);
  const auto input = whole.defined() ? x : remembered(x);
  auto h = convolved(norm_silu_rows(norm1_, input, store), conv1_);
  if (store.has_room(h->bytes() + (in_place ? 0 : out_bytes))) h = store.kept(h);
  h = convolved(norm_silu_rows(norm2_, h, store), conv2_);
  const auto result = added(h, shortcut_ ? convolved(input, shortcut_) : input);
  return in_place ? store.kept_in_place(result, x) : store.kept_if_room(result);
}

RowMapPtr FirstStageMiddle::forward_rows(RowMapPtr x, const RowStore& store) const {
  auto h = block_1_->forward_rows(std::move(x), store);
  if (attn_1_) h = attend(attn_1_, h, store);
  return block_2_->forward_rows(std::move(h), store);
}

int64_t FirstStageMiddle::forward_bytes(int64_t height, int64_t width) const {
  const int64_t attention =
      attn_1_ ? kAttentionMaps * float_bytes(block_1_->out_channels(), height, width) : 0;
  return std::max(attention, block_1_->forward_bytes(height, width));
}

RowMapPtr FirstStageLevel::forward_rows(RowMapPtr h, const RowStore& store) const {
  for (size_t i = 0; i < blocks.size(); ++i) {
    h = blocks[i]->forward_rows(std::move(h), store);
    if (!attn.empty()) h = attend(attn[i], h, store);
  }
  return h;
}

int64_t FirstStageLevel::forward_bytes(int64_t height, int64_t width) const {
  int64_t most = 0;
  for (const auto& block : blocks) most = std::max(most, block->forward_bytes(height, width));
  if (attn.empty() || blocks.empty()) return most;
  return std::max(most, kAttentionMaps * float_bytes(blocks[0]->out_channels(), height, width));
}

torch::Tensor Encoder::forward_within(const torch::Tensor& x, const CodingLimits& limits) const {
  const RowStore store(limits);
  const auto picture = stored_map(x);
  auto h = store.kept_if_room(convolved(patch_size_ == 1 ? picture : folded(picture, patch_size_), conv_in_));
  for (size_t i = 0; i < down_.size(); ++i) {
    h = down_[i].forward_rows(std::move(h), store);
    if (i < downsample_.size()) h = store.kept_if_room(downsample_[i]->forward_rows(h));
  }
  h = mid_->forward_rows(std::move(h), store);
  return store.whole(convolved(norm_silu_rows(norm_out_, h, store), conv_out_));
}

int64_t Encoder::forward_bytes(int64_t height, int64_t width) const {
  height /= patch_size_;
  width /= patch_size_;
  int64_t most = 0, channels = conv_in_->weight.size(0);
  for (size_t i = 0; i < down_.size(); ++i) {
    const int64_t in = float_bytes(channels, height, width);
    most = std::max(most, in + std::max(in, down_[i].forward_bytes(height, width)));
    if (!down_[i].blocks.empty()) channels = down_[i].blocks.back()->out_channels();
    if (i == downsample_.size()) break;
    // The convolution's input is padded, which copies it.
    most = std::max(most, 2 * float_bytes(channels, height, width));
    height /= 2;
    width /= 2;
  }
  return std::max(most, float_bytes(channels, height, width) + mid_->forward_bytes(height, width));
}

torch::Tensor Decoder::forward_within(const torch::Tensor& z, const CodingLimits& limits) const {
  const RowStore store(limits);
  auto h = mid_->forward_rows(store.kept_if_room(convolved(stored_map(z), conv_in_)), store);
  for (size_t i = up_.size(); i-- > 0;) {
    h = up_[i].forward_rows(std::move(h), store);
    if (i == 0) break;
    h = upsample_[i - 1]->forward_rows(h);
    // Kept only where the next block's result fits too: that saves more work.
    const auto& next = up_[i - 1].blocks.front();
    const bool in_place = next->out_channels() == h->channels();
    const int64_t result = in_place ? 0 : float_bytes(next->out_channels(), h->height(), h->width());
    if (store.has_room(h->bytes() + result)) h = store.kept(h);
  }
  if (give_pre_end_) return store.whole(h);
  h = convolved(norm_silu_rows(norm_out_, h, store), conv_out_);
  if (patch_size_ != 1) h = unfolded(h, patch_size_);
  if (tanh_out_) h = mapped(h, [](const torch::Tensor& rows) { return at::tanh(rows); });
  return store.whole(h);
}

int64_t Decoder::forward_bytes(int64_t height, int64_t width) const {
  int64_t channels = conv_in_->weight.size(0);
  int64_t most = float_bytes(channels, height, width) + mid_->forward_bytes(height, width);
  for (size_t i = up_.size(); i-- > 0;) {
    const int64_t in = float_bytes(channels, height, width);
    most = std::max(most, in + up_[i].forward_bytes(height, width));
    channels = up_[i].blocks.back()->out_channels();
    if (i == 0) break;
    // The map, the same doubled, and what the convolution makes of it.
    const int64_t small = float_bytes(channels, height, width);
    most = std::max(most, 9 * small);
    height *= 2;
    width *= 2;
  }
  return std::max(most, 2 * float_bytes(channels, height, width));
}

}  // namespace ldm
