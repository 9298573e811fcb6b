#include "ldm/model/diffusers_names.h"

#include <string>
#include <variant>

#include "ldm/nn/unet_plan.h"

namespace ldm {
namespace {

std::string number(size_t i) { return std::to_string(i); }

void add_pairs(NameMap& map, const std::string& ours, const std::string& theirs,
               std::initializer_list<std::pair<const char*, const char*>> pairs) {
  for (const auto& [a, b] : pairs) map.add(ours + a, theirs + b);
}

void add_res_block(NameMap& map, const std::string& ours, const std::string& theirs) {
  add_pairs(map, ours, theirs,
            {{".in_layers.0", ".norm1"},
             {".in_layers.2", ".conv1"},
             {".emb_layers.1", ".time_emb_proj"},
             {".out_layers.0", ".norm2"},
             {".out_layers.3", ".conv2"},
             {".skip_connection", ".conv_shortcut"}});
}

void add_attention_block(NameMap& map, const std::string& ours, const std::string& theirs) {
  add_pairs(map, ours, theirs, {{".norm", ".group_norm"}, {".qkv", ".to_qkv"}, {".proj_out", ".to_out.0"}});
  map.add_old(ours + ".proj_out", theirs + ".proj_attn");
}

// An attention block or a transformer; what is inside a transformer has equal names.
void add_attention(NameMap& map, const UNetPartSpec& part, const std::string& ours,
                   const std::string& theirs) {
  if (std::holds_alternative<AttentionBlockOptions>(part)) return add_attention_block(map, ours, theirs);
  map.add(ours, theirs);
}

bool is_res_block(const UNetPartSpec& part, Resample resample) {
  const auto* block = std::get_if<ResBlockOptions>(&part);
  return block != nullptr && block->resample == resample;
}

bool is_attention(const UNetPartSpec& part) {
  return std::holds_alternative<AttentionBlockOptions>(part) ||
         std::holds_alternative<SpatialTransformerOptions>(part);
}

void add_embeddings(NameMap& map, const UNetOptions& options) {
  map.add("time_embed.0", "time_embedding.linear_1");
  map.add("time_embed.2", "time_embedding.linear_2");
  if (!options.num_classes) return;
  if (*options.num_classes == "sequential") {
    map.add("label_emb.0.0", "add_embedding.linear_1");
    map.add("label_emb.0.2", "add_embedding.linear_2");
  } else {
    map.add("label_emb", "class_embedding");
  }
}

void add_encoder(NameMap& map, const UNetPlan& plan) {
  map.add("input_blocks.0.0", "conv_in");
  size_t level = 0, block = 0;
  for (size_t i = 1; i < plan.input.size(); ++i) {
    const auto& stage = plan.input[i];
    const std::string ours = "input_blocks." + number(i), theirs = "down_blocks." + number(level);
    if (std::holds_alternative<DownsampleSpec>(stage[0])) {
      map.add(ours + ".0.op", theirs + ".downsamplers.0.conv");
    } else if (is_res_block(stage[0], Resample::kDown)) {
      add_res_block(map, ours + ".0", theirs + ".downsamplers.0");
    } else {
      add_res_block(map, ours + ".0", theirs + ".resnets." + number(block));
      if (stage.size() > 1)
        add_attention(map, stage[1], ours + ".1", theirs + ".attentions." + number(block));
      ++block;
      continue;
    }
    ++level;
    block = 0;
  }
}

void add_middle(NameMap& map, const UNetPlan& plan) {
  add_res_block(map, "middle_block.0", "mid_block.resnets.0");
  add_attention(map, plan.middle[1], "middle_block.1", "mid_block.attentions.0");
  add_res_block(map, "middle_block.2", "mid_block.resnets.1");
}

void add_decoder(NameMap& map, const UNetPlan& plan) {
  size_t level = 0, block = 0;
  for (size_t i = 0; i < plan.output.size(); ++i) {
    const auto& stage = plan.output[i];
    const std::string ours = "output_blocks." + number(i), theirs = "up_blocks." + number(level);
    add_res_block(map, ours + ".0", theirs + ".resnets." + number(block));
    bool last = false;
    for (size_t part = 1; part < stage.size(); ++part) {
      const std::string place = ours + "." + number(part);
      if (is_attention(stage[part])) {
        add_attention(map, stage[part], place, theirs + ".attentions." + number(block));
      } else if (is_res_block(stage[part], Resample::kUp)) {
        add_res_block(map, place, theirs + ".upsamplers.0");
        last = true;
      } else {
        map.add(place + ".conv", theirs + ".upsamplers.0.conv");
        last = true;
      }
    }
    ++block;
    if (last) ++level, block = 0;
  }
}

void add_resnet(NameMap& map, const std::string& ours, const std::string& theirs) {
  add_pairs(map, ours, theirs,
            {{".norm1", ".norm1"},
             {".conv1", ".conv1"},
             {".norm2", ".norm2"},
             {".conv2", ".conv2"},
             {".nin_shortcut", ".conv_shortcut"}});
}

void add_first_stage_attention(NameMap& map, const std::string& ours, const std::string& theirs) {
  add_pairs(map, ours, theirs,
            {{".norm", ".group_norm"},
             {".q", ".to_q"},
             {".k", ".to_k"},
             {".v", ".to_v"},
             {".proj_out", ".to_out.0"}});
  map.add_old(ours + ".q", theirs + ".query");
  map.add_old(ours + ".k", theirs + ".key");
  map.add_old(ours + ".v", theirs + ".value");
  map.add_old(ours + ".proj_out", theirs + ".proj_attn");
}

// Encoder or decoder. Both count the blocks in the order of the walk; our levels have the finest as 0.
void add_half(NameMap& map, const AutoencoderOptions& options, bool encoder) {
  const std::string half = encoder ? "encoder." : "decoder.";
  const std::string ours_side = half + (encoder ? "down." : "up."),
                    ours_change = encoder ? ".downsample" : ".upsample";
  const std::string their_side = half + (encoder ? "down_blocks." : "up_blocks.");
  const std::string their_change = encoder ? ".downsamplers.0" : ".upsamplers.0";
  const size_t levels = options.ch_mult.size();
  const auto blocks = static_cast<size_t>(options.num_res_blocks) + (encoder ? 0 : 1);
  map.add(half + "conv_in", half + "conv_in");
  for (size_t i = 0; i < levels; ++i) {
    const std::string ours = ours_side + number(encoder ? i : levels - 1 - i),
                      theirs = their_side + number(i);
    for (size_t block = 0; block < blocks; ++block) {
      add_resnet(map, ours + ".block." + number(block), theirs + ".resnets." + number(block));
      add_first_stage_attention(map, ours + ".attn." + number(block),
                                theirs + ".attentions." + number(block));
    }
    if (i + 1 < levels) map.add(ours + ours_change, theirs + their_change);
  }
  add_resnet(map, half + "mid.block_1", half + "mid_block.resnets.0");
  add_resnet(map, half + "mid.block_2", half + "mid_block.resnets.1");
  add_first_stage_attention(map, half + "mid.attn_1", half + "mid_block.attentions.0");
  map.add(half + "norm_out", half + "conv_norm_out");
  map.add(half + "conv_out", half + "conv_out");
}

}  // namespace

NameMap diffusers_unet_names(const UNetOptions& options) {
  const auto plan = plan_unet(options);
  NameMap map;
  add_embeddings(map, options);
  add_encoder(map, plan);
  add_middle(map, plan);
  add_decoder(map, plan);
  map.add("out.0", "conv_norm_out");
  map.add("out.2", "conv_out");
  return map;
}

NameMap diffusers_controlnet_names(const UNetOptions& options) {
  const auto plan = plan_unet(options);
  NameMap map;
  add_embeddings(map, options);
  add_encoder(map, plan);
  add_middle(map, plan);
  map.add("input_hint_block.0", "controlnet_cond_embedding.conv_in");
  for (size_t i = 0; i < 6; ++i)
    map.add("input_hint_block." + number(2 * i + 2), "controlnet_cond_embedding.blocks." + number(i));
  map.add("input_hint_block.14", "controlnet_cond_embedding.conv_out");
  for (size_t i = 0; i < plan.input.size(); ++i)
    map.add("zero_convs." + number(i) + ".0", "controlnet_down_blocks." + number(i));
  map.add("middle_block_out.0", "controlnet_mid_block");
  return map;
}

NameMap diffusers_first_stage_names(const AutoencoderOptions& options) {
  NameMap map;
  add_half(map, options, /*encoder=*/true);
  add_half(map, options, /*encoder=*/false);
  for (const char* name : {"quant_conv", "post_quant_conv", "quantize.embedding"}) map.add(name, name);
  return map;
}

}  // namespace ldm
