#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ldm {

// The denoising network's settings, under the key names of the original's `unet_config.params` and its
// successors'. Where a list gives something per level (the first level is the finest), a list of one entry
// holds for all levels.
struct UNetOptions {
  int64_t image_size =
      32;  // Height and width of the latents in the usual case; the network itself takes any size.
  int64_t in_channels = 4;      // Latent channels plus those of a concatenated condition.
  int64_t model_channels = 64;  // Width of the first level; a multiple of 32.
  int64_t out_channels = 4;
  std::vector<int64_t> num_res_blocks{2};         // Residual blocks, per level.
  std::vector<int64_t> attention_resolutions;     // Downsampling factors (1, 2, 4, ..) that have attention.
  double dropout = 0.0;                           // Inside residual blocks.
  std::vector<int64_t> channel_mult{1, 2, 4, 8};  // Width of each level, times model_channels.
  bool conv_resample = true;                      // Resize with convolutions, otherwise without parameters.
  int64_t dims = 2;                               // Only 2.
  std::optional<std::string> num_classes;         // See label_embedding.h.
  std::optional<int64_t> adm_in_channels;         // Width of the vector of "sequential".
  bool use_checkpoint = false;  // Training computes activations twice instead of keeping them all.

  // Heads. One of num_heads and num_head_channels must be given; -1: not given.
  int64_t num_heads = -1;
  int64_t num_head_channels = -1;   // Goes first: heads = channels / num_head_channels.
  int64_t num_heads_upsample = -1;  // Attention blocks of the decoder; -1: num_heads.
  bool legacy = true;               // false: num_heads_upsample has no effect; heads are never wider than
                                    // num_head_channels.
  // Weights do not tell the number of heads. "auto": the rules above; "one_head": transformers have one head,
  // as the code of 2021 had it whatever num_head_channels said (checkpoints cin256, text2img256,
  // layout2img-openimages256).
  std::string head_rule = "auto";

  bool use_scale_shift_norm = false;     // The time embedding scales and shifts instead of being added.
  bool resblock_updown = false;          // Resize inside residual blocks.
  bool use_new_attention_order = false;  // Order of the outputs of an attention block's qkv.

  // Transformers instead of attention blocks.
  bool use_spatial_transformer = false;  // Implied by context_dim.
  std::vector<int64_t> transformer_depth{
      1};  // Blocks per transformer, per level; the middle takes the last level's.
  std::optional<int64_t> context_dim;      // Width of the tokens of the condition.
  bool use_linear_in_transformer = false;  // Linear layers at both ends of a transformer.
  std::vector<bool>
      disable_self_attentions;            // Per level: both attentions look at the condition. Empty: nowhere.
  bool disable_middle_self_attn = false;  // The same in the middle.
  std::vector<int64_t>
      num_attention_blocks;  // Per level: only so many of its blocks have attention. Empty: all.
  int64_t ff_mult = 4;       // Inner width of the transformers' feed-forward layers (ours).

  std::optional<int64_t> n_embed;  // The output is the logits of so many code-book entries.

  template <typename Visit>
  void fields(Visit&& visit) {
    visit("image_size", image_size, "height and width of the latents");
    visit("in_channels", in_channels, "latent channels plus those of a concatenated condition");
    visit("model_channels", model_channels, "width of the first level, a multiple of 32");
    visit("out_channels", out_channels, "channels of the prediction");
    visit("num_res_blocks", num_res_blocks, "residual blocks per level: a number or a list");
    visit("attention_resolutions", attention_resolutions, "downsampling factors that have attention");
    visit("dropout", dropout, "dropout probability inside residual blocks");
    visit("channel_mult", channel_mult, "width of each level, times model_channels");
    visit("conv_resample", conv_resample, "resize with convolutions");
    visit("dims", dims, "spatial dimensions; only 2");
    visit("num_classes", num_classes, "number of classes, or continuous, timestep, sequential");
    visit("adm_in_channels", adm_in_channels, "width of the vector condition of num_classes: sequential");
    visit("use_checkpoint", use_checkpoint, "training computes activations twice instead of keeping them");
    visit("num_heads", num_heads, "attention heads; -1: see num_head_channels");
    visit("num_head_channels", num_head_channels, "channels per attention head; -1: see num_heads");
    visit("num_heads_upsample", num_heads_upsample, "heads of the decoder's attention blocks; -1: num_heads");
    visit("legacy", legacy, "false: num_heads_upsample has no effect; heads keep num_head_channels");
    visit("head_rule", head_rule, "auto, or one_head for cross-attention checkpoints of 2021");
    visit("use_scale_shift_norm", use_scale_shift_norm, "the time embedding scales and shifts");
    visit("resblock_updown", resblock_updown, "resize inside residual blocks");
    visit("use_new_attention_order", use_new_attention_order, "order of qkv in attention blocks");
    visit("use_spatial_transformer", use_spatial_transformer, "transformers instead of attention blocks");
    visit("transformer_depth", transformer_depth, "blocks per transformer: a number or a list per level");
    visit("context_dim", context_dim, "width of the tokens of the condition");
    visit("use_linear_in_transformer", use_linear_in_transformer,
          "linear layers at both ends of a transformer");
    visit("disable_self_attentions", disable_self_attentions,
          "per level: both attentions look at the condition");
    visit("disable_middle_self_attn", disable_middle_self_attn, "the same in the middle");
    visit("num_attention_blocks", num_attention_blocks, "per level: only so many blocks have attention");
    visit("ff_mult", ff_mult, "inner width of the transformers' feed-forward layers, times the width");
    visit("n_embed", n_embed, "predict logits of so many code-book entries");
    visit.ignored("use_fp16", "the weights' type decides");
    visit.ignored("use_bf16", "the weights' type decides");
    visit.ignored("spatial_transformer_attn_type", "one attention serves all");
    visit.only("disable_middle_transformer", "false", "every published network has one");
  }
};

}  // namespace ldm
