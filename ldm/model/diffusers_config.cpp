#include "ldm/model/diffusers_config.h"

#include <algorithm>
#include <string_view>

#include "ldm/core/error.h"
#include "ldm/model/json_reader.h"

namespace ldm {
namespace {

using Sizes = std::vector<int64_t>;

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> list) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

// The widths of the levels, which must be multiples of the first.
Sizes read_widths(const JsonReader& json) {
  const size_t levels = json.texts("down_block_types").size();
  json.expect(levels >= 1 && levels <= 12, "down_block_types", "1 to 12 levels");
  auto widths = json.integers("block_out_channels", levels, 0);
  for (const auto width : widths)
    json.expect(widths[0] > 0 && width > 0 && width % widths[0] == 0, "block_out_channels",
                "multiples of the first");
  return widths;
}

Sizes as_multiples(const Sizes& widths) {
  Sizes out;
  for (const auto width : widths) out.push_back(width / widths[0]);
  return out;
}

// Sets the heads of a UNet2DConditionModel: their number, or their channels where the number differs.
void read_heads(const JsonReader& json, const Sizes& widths, UNetOptions& out) {
  const char* key = json.has("num_attention_heads") ? "num_attention_heads" : "attention_head_dim";
  const auto heads = json.integers(key, widths.size(), 8);
  for (size_t i = 0; i < heads.size(); ++i)
    json.expect(heads[i] > 0 && widths[i] % heads[i] == 0, key, "numbers of heads that divide the widths");
  const bool same_number = std::all_of(heads.begin(), heads.end(), [&](auto n) { return n == heads[0]; });
  out.num_heads = same_number ? heads[0] : -1;
  if (same_number) return;
  out.num_head_channels = widths[0] / heads[0];
  for (size_t i = 0; i < heads.size(); ++i)
    json.expect(widths[i] / heads[i] == out.num_head_channels, key, "heads of one number or one width");
}

void read_labels(const JsonReader& json, UNetOptions& out) {
  const auto added = json.text("addition_embed_type"), kind = json.text("class_embed_type");
  json.expect(is_one_of(added, {"", "text_time"}), "addition_embed_type", "null or text_time");
  json.expect(is_one_of(kind, {"", "projection"}), "class_embed_type", "null or projection");
  if (!added.empty() || !kind.empty()) {
    out.num_classes = "sequential";
    out.adm_in_channels = json.integer("projection_class_embeddings_input_dim", 0);
    json.expect(*out.adm_in_channels > 0, "projection_class_embeddings_input_dim", "the width of the vector");
  } else if (json.has("num_class_embeds")) {
    out.num_classes = std::to_string(json.integer("num_class_embeds", 0));
  }
}

void check_common(const JsonReader& json) {
  json.only("norm_num_groups", 32);
  json.only("center_input_sample", false);
  json.only("freq_shift", 0);
  json.only("flip_sin_to_cos", true);
  json.only("downsample_padding", 1);
  json.only("mid_block_scale_factor", 1);
  json.expect(is_one_of(json.text("act_fn", "silu"), {"silu", "swish"}), "act_fn", "silu");
  const auto shift = json.text("resnet_time_scale_shift", "default");
  json.expect(is_one_of(shift, {"default", "scale_shift"}), "resnet_time_scale_shift",
              "default or scale_shift");
}

void check_condition_model(const JsonReader& json) {
  for (const char* key : {"dual_cross_attention", "resnet_skip_time_act", "class_embeddings_concat"})
    json.only(key, false);
  for (const char* key :
       {"encoder_hid_dim", "encoder_hid_dim_type", "time_embedding_dim", "time_embedding_act_fn",
        "timestep_post_act", "time_cond_proj_dim", "cross_attention_norm",
        "reverse_transformer_layers_per_block", "mid_block_only_cross_attention"})
    json.expect(!json.has(key), key, "null");
  json.only("time_embedding_type", "positional");
  json.only("conv_in_kernel", 3);
  json.only("conv_out_kernel", 3);
  json.only("attention_type", "default");
  json.expect(is_one_of(json.text("mid_block_type", "UNetMidBlock2DCrossAttn"), {"UNetMidBlock2DCrossAttn"}),
              "mid_block_type", "UNetMidBlock2DCrossAttn");
}

// The levels whose blocks attend, as downsampling factors.
Sizes attention_factors(const JsonReader& json) {
  Sizes out;
  const auto types = json.texts("down_block_types");
  for (size_t i = 0; i < types.size(); ++i) {
    json.expect(is_one_of(types[i], {"DownBlock2D", "CrossAttnDownBlock2D", "AttnDownBlock2D"}),
                "down_block_types", "DownBlock2D, CrossAttnDownBlock2D or AttnDownBlock2D");
    if (types[i] != "DownBlock2D") out.push_back(int64_t{1} << i);
  }
  return out;
}

std::string block_type(const UNetOptions& o, size_t level, const char* side) {
  const bool attends =
      std::count(o.attention_resolutions.begin(), o.attention_resolutions.end(), int64_t{1} << level) != 0;
  const std::string end = std::string(side) + "Block2D";
  return (!attends ? "" : o.context_dim ? "CrossAttn" : "Attn") + end;
}

void check_first_stage(const JsonReader& json) {
  json.only("norm_num_groups", 32);
  json.only("mid_block_add_attention", true);
  json.only("use_quant_conv", true);
  json.only("use_post_quant_conv", true);
  json.only("norm_type", "group");
  json.only("lookup_from_codebook", false);
  json.expect(is_one_of(json.text("act_fn", "silu"), {"silu", "swish"}), "act_fn", "silu");
  json.expect(!json.has("shift_factor") || json.number("shift_factor", 0) == 0, "shift_factor", "null");
  for (const auto* key : {"latents_mean", "latents_std"}) json.expect(!json.has(key), key, "null");
}

// What a UNet2DConditionModel has no key for.
void check_unet_is_known(const UNetOptions& o) {
  const bool known = o.conv_resample && !o.resblock_updown && o.num_attention_blocks.empty() &&
                     !o.disable_middle_self_attn && o.ff_mult == 4 && !o.n_embed;
  check(known, ErrorKind::kUsage,
        "a folder of diffusers cannot hold this UNet: resblock_updown, num_attention_blocks, "
        "disable_middle_self_attn, ff_mult, n_embed and conv_resample: false are not known there");
}

}  // namespace

UNetOptions read_diffusers_unet(const Json& config, const std::string& where) {
  const JsonReader json(config, where);
  const auto kind = json.text("_class_name", "UNet2DConditionModel");
  json.expect(is_one_of(kind, {"UNet2DConditionModel", "UNet2DModel"}), "_class_name",
              "a UNet2DConditionModel or UNet2DModel");
  check_common(json);
  const auto widths = read_widths(json);
  UNetOptions out;
  if (json.has("sample_size") && config["sample_size"].is_number_integer())
    out.image_size = json.integer("sample_size", 0);
  out.in_channels = json.integer("in_channels", 4);
  out.out_channels = json.integer("out_channels", 4);
  out.model_channels = widths[0];
  out.channel_mult = as_multiples(widths);
  out.num_res_blocks = json.integers("layers_per_block", widths.size(), 2);
  out.attention_resolutions = attention_factors(json);
  out.use_scale_shift_norm = json.text("resnet_time_scale_shift", "default") == "scale_shift";
  out.dropout = json.number("dropout", 0.0);
  out.legacy = false;
  read_labels(json, out);
  if (kind == "UNet2DModel") {
    out.num_head_channels = json.integer("attention_head_dim", 8);
    return out;
  }
  check_condition_model(json);
  read_heads(json, widths, out);
  out.use_spatial_transformer = true;
  out.context_dim = json.integer("cross_attention_dim", 1280);
  out.use_linear_in_transformer = json.boolean("use_linear_projection", false);
  out.transformer_depth = json.integers("transformer_layers_per_block", widths.size(), 1);
  out.disable_self_attentions = json.booleans("only_cross_attention", widths.size(), false);
  return out;
}

Json write_diffusers_unet(const UNetOptions& o) {
  check_unet_is_known(o);
  const size_t levels = o.channel_mult.size();
  const auto spread = [&](const auto& list) {
    return list.size() == 1 ? std::vector(levels, list[0]) : list;
  };
  Json out{{"_class_name", o.context_dim ? "UNet2DConditionModel" : "UNet2DModel"},
           {"sample_size", o.image_size},
           {"in_channels", o.in_channels},
           {"out_channels", o.out_channels},
           {"norm_num_groups", 32},
           {"resnet_time_scale_shift", o.use_scale_shift_norm ? "scale_shift" : "default"},
           {"flip_sin_to_cos", true},
           {"freq_shift", 0}};
  const auto blocks = spread(o.num_res_blocks);
  check(std::all_of(blocks.begin(), blocks.end(), [&](auto n) { return n == blocks[0]; }), ErrorKind::kUsage,
        "a folder of diffusers cannot hold a UNet with different numbers of blocks per level");
  out["layers_per_block"] = blocks[0];
  Json heads = Json::array();
  for (size_t i = 0; i < levels; ++i) {
    const int64_t width = o.model_channels * o.channel_mult[i];
    out["block_out_channels"].push_back(width);
    out["down_block_types"].push_back(block_type(o, i, "Down"));
    out["up_block_types"].push_back(block_type(o, levels - 1 - i, "Up"));
    heads.push_back(o.head_rule == "one_head" ? 1
                    : o.num_head_channels > 0 ? width / o.num_head_channels
                                              : o.num_heads);
  }
  if (!o.context_dim) {
    const bool one_width = o.num_head_channels > 0;
    check(one_width, ErrorKind::kUsage,
          "a folder of diffusers cannot hold attention blocks of num_heads; only of num_head_channels");
    out["attention_head_dim"] = o.num_head_channels;
    return out;
  }
  out["attention_head_dim"] = std::move(heads);
  out["cross_attention_dim"] = *o.context_dim;
  out["use_linear_projection"] = o.use_linear_in_transformer;
  Json depths = Json::array();
  for (const auto depth : spread(o.transformer_depth)) depths.push_back(std::max<int64_t>(depth, 1));
  out["transformer_layers_per_block"] = std::move(depths);
  if (!o.disable_self_attentions.empty()) out["only_cross_attention"] = spread(o.disable_self_attentions);
  if (o.num_classes == "sequential") {
    out["addition_embed_type"] = "text_time";
    out["addition_time_embed_dim"] = 256;
    out["projection_class_embeddings_input_dim"] = o.adm_in_channels.value_or(0);
  } else if (o.num_classes) {
    out["num_class_embeds"] = std::stoll(*o.num_classes);
  }
  return out;
}

DiffusersFirstStage read_diffusers_first_stage(const Json& config, const std::string& where) {
  const JsonReader json(config, where);
  const auto kind = json.text("_class_name", "AutoencoderKL");
  json.expect(is_one_of(kind, {"AutoencoderKL", "VQModel"}), "_class_name", "an AutoencoderKL or a VQModel");
  check_first_stage(json);
  const bool codebook = kind == "VQModel";
  const auto widths = read_widths(json);
  DiffusersFirstStage out;
  auto& ddconfig = out.options.ddconfig;
  ddconfig.double_z = !codebook;
  ddconfig.z_channels = json.integer("latent_channels", codebook ? 3 : 4);
  ddconfig.resolution = json.integer("sample_size", 256);
  ddconfig.in_channels = json.integer("in_channels", 3);
  ddconfig.out_ch = json.integer("out_channels", 3);
  ddconfig.ch = widths[0];
  ddconfig.ch_mult = as_multiples(widths);
  ddconfig.num_res_blocks = json.integer("layers_per_block", 1);
  const auto types = json.texts("down_block_types");
  for (size_t i = 0; i < types.size(); ++i) {
    json.expect(is_one_of(types[i], {"DownEncoderBlock2D", "AttnDownEncoderBlock2D"}), "down_block_types",
                "DownEncoderBlock2D or AttnDownEncoderBlock2D");
    if (types[i] == "AttnDownEncoderBlock2D") ddconfig.attn_resolutions.push_back(ddconfig.resolution >> i);
  }
  out.options.embed_dim = codebook ? json.integer("vq_embed_dim", ddconfig.z_channels) : ddconfig.z_channels;
  if (codebook) out.options.n_embed = json.integer("num_vq_embeddings", 256);
  out.scale_factor = json.number("scaling_factor", 0.18215);
  return out;
}

Json write_diffusers_first_stage(const FirstStageOptions& options, double scale_factor) {
  const auto& d = options.ddconfig;
  check(d.patch_size == 1 && !d.linear_shortcut && d.attn_type == "vanilla" && d.mid_attn, ErrorKind::kUsage,
        "a folder of diffusers cannot hold this first stage: patch_size, linear_shortcut, attn_type and "
        "mid_attn ",
        "are not known there");
  const bool codebook = options.n_embed > 0;
  check(codebook || options.embed_dim == d.z_channels, ErrorKind::kUsage,
        "a folder of diffusers cannot hold a first stage whose embed_dim differs from z_channels");
  Json out{{"_class_name", codebook ? "VQModel" : "AutoencoderKL"},
           {"sample_size", d.resolution},
           {"in_channels", d.in_channels},
           {"out_channels", d.out_ch},
           {"latent_channels", d.z_channels},
           {"layers_per_block", d.num_res_blocks},
           {"norm_num_groups", 32},
           {"act_fn", "silu"},
           {"scaling_factor", scale_factor}};
  const auto attends = [&](size_t level) {
    return std::count(d.attn_resolutions.begin(), d.attn_resolutions.end(), d.resolution >> level) != 0;
  };
  for (size_t i = 0; i < d.ch_mult.size(); ++i) {
    out["block_out_channels"].push_back(d.ch * d.ch_mult[i]);
    out["down_block_types"].push_back(attends(i) ? "AttnDownEncoderBlock2D" : "DownEncoderBlock2D");
    out["up_block_types"].push_back(attends(d.ch_mult.size() - 1 - i) ? "AttnUpDecoderBlock2D"
                                                                      : "UpDecoderBlock2D");
  }
  if (codebook) {
    out["num_vq_embeddings"] = options.n_embed;
    out["vq_embed_dim"] = options.embed_dim;
  }
  return out;
}

void read_diffusers_scheduler(const Json& config, const std::string& where, Node& params) {
  const JsonReader json(config, where);
  const auto betas = json.text("beta_schedule", "linear"),
             prediction = json.text("prediction_type", "epsilon");
  // What diffusers calls scaled_linear is the original's "linear".
  json.expect(is_one_of(betas, {"linear", "scaled_linear", "squaredcos_cap_v2"}), "beta_schedule",
              "linear, scaled_linear or squaredcos_cap_v2");
  json.expect(is_one_of(prediction, {"epsilon", "v_prediction", "sample"}), "prediction_type",
              "epsilon, v_prediction or sample");
  json.expect(!json.has("trained_betas"), "trained_betas", "null");
  params.set("beta_schedule", Node::string(betas == "scaled_linear" ? "linear"
                                           : betas == "linear"      ? "sqrt_linear"
                                                                    : "cosine"));
  params.set("linear_start", Node::number(json.number("beta_start", 0.0001)));
  params.set("linear_end", Node::number(json.number("beta_end", 0.02)));
  params.set("timesteps", Node::integer(json.integer("num_train_timesteps", 1000)));
  params.set("parameterization", Node::string(prediction == "epsilon"  ? "eps"
                                              : prediction == "sample" ? "x0"
                                                                       : "v"));
  if (json.boolean("rescale_betas_zero_snr", false)) params.set("zero_terminal_snr", Node::boolean(true));
}

}  // namespace ldm
