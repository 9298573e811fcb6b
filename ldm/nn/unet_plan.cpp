#include "ldm/nn/unet_plan.h"

#include <algorithm>
#include <utility>

#include "ldm/core/error.h"

namespace ldm {
namespace {

enum class Side { kEncoder, kMiddle, kDecoder };

int64_t size_of(const auto& list) { return static_cast<int64_t>(list.size()); }

// Entry of a per-level list; a list of one holds for all levels, an empty one gives `otherwise`.
template <typename T>
T at_level(const std::vector<T>& list, int64_t level, T otherwise) {
  if (list.empty()) return otherwise;
  return list[list.size() == 1 ? 0 : static_cast<size_t>(level)];
}

// Bounds far above any real network, so that a hostile file cannot ask for endless ones.
constexpr int64_t kMaxLevels = 12, kMaxBlocks = 64, kMaxWidth = 1 << 16;

void check_range(const char* name, int64_t value, int64_t low, int64_t high) {
  check(value >= low && value <= high, "unet: expected ", name, " of ", low, " to ", high, ", got ", value);
}

template <typename T>
void check_list(const char* name, const std::vector<T>& list, int64_t levels, bool may_be_empty) {
  const int64_t size = size_of(list);
  check(size == levels || size == 1 || (size == 0 && may_be_empty), "unet: expected ", name, " to have 1 or ",
        levels, " entries (one per level of channel_mult), got ", size);
  for (const int64_t value : list) check_range(name, value, 0, kMaxBlocks);
}

void check_widths(const UNetOptions& o) {
  check(o.dims == 2, "unet: expected dims 2, got ", o.dims);
  check_range("in_channels", o.in_channels, 1, kMaxWidth);
  check_range("out_channels", o.out_channels, 1, kMaxWidth);
  check_range("model_channels", o.model_channels, 32, kMaxWidth);
  check(o.model_channels % 32 == 0, "unet: expected model_channels to be a multiple of 32, got ",
        o.model_channels);
  check_range("the number of entries of channel_mult", size_of(o.channel_mult), 1, kMaxLevels);
  for (const int64_t mult : o.channel_mult) check_range("channel_mult", mult, 1, kMaxBlocks);
  check_range("ff_mult", o.ff_mult, 1, kMaxBlocks);
  if (o.context_dim) check_range("context_dim", *o.context_dim, 1, kMaxWidth);
  if (o.n_embed) check_range("n_embed", *o.n_embed, 1, int64_t{1} << 24);
}

void check_options(const UNetOptions& o) {
  check_widths(o);
  const int64_t levels = size_of(o.channel_mult);
  check_list("num_res_blocks", o.num_res_blocks, levels, false);
  check_list("transformer_depth", o.transformer_depth, levels, false);
  check_list("disable_self_attentions", o.disable_self_attentions, levels, true);
  check_list("num_attention_blocks", o.num_attention_blocks, levels, true);
  check(o.num_heads > 0 || o.num_head_channels > 0,
        "unet: expected num_heads or num_head_channels, got neither");
  check(o.head_rule == "auto" || o.head_rule == "one_head",
        "unet: expected head_rule auto or one_head, got '", o.head_rule, "'");
  check(!o.use_spatial_transformer || o.context_dim, "unet: use_spatial_transformer expects a context_dim");
}

ResBlockOptions residual(const UNetOptions& o, int64_t in, int64_t out, Resample resample = Resample::kNone) {
  return {.in_channels = in,
          .out_channels = out,
          .emb_channels = embedding_width(o),
          .dropout = o.dropout,
          .use_scale_shift_norm = o.use_scale_shift_norm,
          .resample = resample};
}

SpatialTransformerOptions transformer(const UNetOptions& o, int64_t channels, int64_t level, Side side) {
  int64_t heads = o.num_head_channels > 0 ? channels / o.num_head_channels : o.num_heads;
  if (o.head_rule == "one_head") heads = 1;
  check(heads > 0 && heads <= channels, "unet: a transformer of ", channels, " channels cannot have ", heads,
        " heads; hint: see num_heads and num_head_channels");
  // Where num_head_channels does not divide the channels, the original's `legacy` makes heads wider.
  const bool one_width = o.num_head_channels > 0 && o.head_rule == "auto" && !o.legacy;
  return {.in_channels = channels,
          .heads = heads,
          .dim_head = one_width ? o.num_head_channels : channels / heads,
          .depth = at_level<int64_t>(o.transformer_depth, level, 1),
          .context_dim = o.context_dim.value_or(0),
          .ff_mult = o.ff_mult,
          .use_linear = o.use_linear_in_transformer,
          .disable_self_attn = side == Side::kMiddle
                                   ? o.disable_middle_self_attn
                                   : at_level<bool>(o.disable_self_attentions, level, false)};
}

AttentionBlockOptions attention_block(const UNetOptions& o, int64_t channels, Side side) {
  int64_t heads = o.num_heads;
  if (side == Side::kDecoder && o.legacy && o.num_heads_upsample > 0) heads = o.num_heads_upsample;
  if (o.num_head_channels > 0) {
    check(channels % o.num_head_channels == 0, "unet: expected num_head_channels to divide ", channels,
          " channels, got ", o.num_head_channels);
    heads = channels / o.num_head_channels;
  }
  return {.channels = channels, .heads = heads, .new_order = o.use_new_attention_order};
}

UNetPartSpec attention(const UNetOptions& o, int64_t channels, int64_t level, Side side) {
  if (o.context_dim) return transformer(o, channels, level, side);
  return attention_block(o, channels, side);
}

// Does block `i` of a level have attention?
bool attends(const UNetOptions& o, int64_t level, int64_t i) {
  const auto& factors = o.attention_resolutions;
  return std::find(factors.begin(), factors.end(), int64_t{1} << level) != factors.end() &&
         i < at_level<int64_t>(o.num_attention_blocks, level, i + 1);
}

UNetPartSpec shrink(const UNetOptions& o, int64_t channels) {
  if (o.resblock_updown) return residual(o, channels, channels, Resample::kDown);
  return DownsampleSpec{{.in_channels = channels, .out_channels = channels, .use_conv = o.conv_resample}};
}

UNetPartSpec grow(const UNetOptions& o, int64_t channels) {
  if (o.resblock_updown) return residual(o, channels, channels, Resample::kUp);
  return UpsampleSpec{{.in_channels = channels, .out_channels = channels, .use_conv = o.conv_resample}};
}

// Both halves return the width that they end with.
int64_t plan_encoder(const UNetOptions& o, UNetPlan& plan) {
  int64_t channels = o.model_channels;
  const auto keep = [&](UNetStageSpec stage) {
    plan.input.push_back(std::move(stage));
    plan.skip_channels.push_back(channels);
  };
  keep({Conv2dOptions{.in_channels = o.in_channels, .out_channels = channels}});
  for (int64_t level = 0; level < size_of(o.channel_mult); ++level) {
    const int64_t width = o.channel_mult[static_cast<size_t>(level)] * o.model_channels;
    for (int64_t i = 0; i < at_level<int64_t>(o.num_res_blocks, level, 0); ++i) {
      UNetStageSpec stage{residual(o, channels, width)};
      channels = width;
      if (attends(o, level, i)) stage.push_back(attention(o, channels, level, Side::kEncoder));
      keep(std::move(stage));
    }
    if (level + 1 < size_of(o.channel_mult)) keep({shrink(o, channels)});
  }
  return channels;
}

void plan_decoder(const UNetOptions& o, UNetPlan& plan, int64_t channels) {
  auto skip = plan.skip_channels.rbegin();
  for (int64_t level = size_of(o.channel_mult) - 1; level >= 0; --level) {
    const int64_t width = o.channel_mult[static_cast<size_t>(level)] * o.model_channels;
    const int64_t blocks = at_level<int64_t>(o.num_res_blocks, level, 0) + 1;
    for (int64_t i = 0; i < blocks; ++i) {
      UNetStageSpec stage{residual(o, channels + *skip++, width)};
      channels = width;
      if (attends(o, level, i)) stage.push_back(attention(o, channels, level, Side::kDecoder));
      if (level > 0 && i + 1 == blocks) stage.push_back(grow(o, channels));
      plan.output.push_back(std::move(stage));
    }
  }
}

}  // namespace

int64_t embedding_width(const UNetOptions& options) { return 4 * options.model_channels; }

UNetPlan plan_unet(const UNetOptions& o) {
  check_options(o);
  UNetPlan plan;
  plan.size_multiple = int64_t{1} << (o.channel_mult.size() - 1);
  const int64_t channels = plan_encoder(o, plan);
  plan.middle = {residual(o, channels, channels),
                 attention(o, channels, size_of(o.channel_mult) - 1, Side::kMiddle),
                 residual(o, channels, channels)};
  plan_decoder(o, plan, channels);
  return plan;
}

}  // namespace ldm
