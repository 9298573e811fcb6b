#include "ldm/model/infer_networks.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <string>
#include <vector>

#include "ldm/config/options.h"
#include "ldm/core/error.h"
#include "ldm/model/first_stage.h"
#include "ldm/nn/unet_options.h"

namespace ldm {
namespace {

// Reads shapes of the tensors below a prefix.
class Shapes {
 public:
  Shapes(const StateDict& tensors, std::string prefix) : tensors_(tensors), prefix_(std::move(prefix)) {}

  bool has(const std::string& name) const { return tensors_.contains(prefix_ + name); }
  bool any(const std::string& name) const {
    const auto at = tensors_.lower_bound(prefix_ + name);
    return at != tensors_.end() && at->first.starts_with(prefix_ + name);
  }
  int64_t dim(const std::string& name) const { return find(name).dim(); }
  int64_t size(const std::string& name, int64_t dim) const {
    const auto& tensor = find(name);
    check(tensor.dim() > dim, ErrorKind::kFormat, "'", prefix_, name, "': expected more than ", dim,
          " dimensions");
    return tensor.size(dim);
  }
  int64_t count(const std::string& name) const {  // Of name0., name1., ...
    int64_t n = 0;
    while (any(name + std::to_string(n) + ".")) ++n;
    return n;
  }

 private:
  const torch::Tensor& find(const std::string& name) const {
    const auto found = tensors_.find(prefix_ + name);
    check(found != tensors_.end(), ErrorKind::kFormat, "expected the tensor '", prefix_, name,
          "' to tell the configuration; hint: --config names the model's YAML");
    return found->second;
  }
  const StateDict& tensors_;
  std::string prefix_;
};

// What one level of the encoder half has.
struct UNetLevel {
  int64_t blocks = 0, width = 0, depth = 0;
  bool attention = false;
};

// Walks over input_blocks; a block without a residual part ends a level.
std::vector<UNetLevel> find_levels(const Shapes& shapes) {
  std::vector<UNetLevel> levels(1);
  for (int64_t i = 1; shapes.any("input_blocks." + std::to_string(i) + "."); ++i) {
    const std::string block = "input_blocks." + std::to_string(i) + ".";
    if (shapes.any(block + "0.op.") || !shapes.any(block + "0.")) {
      levels.emplace_back();
      continue;
    }
    auto& level = levels.back();
    ++level.blocks;
    level.width = shapes.size(block + "0.out_layers.3.weight", 0);
    level.attention = level.attention || shapes.any(block + "1.");
    level.depth = std::max(level.depth, shapes.count(block + "1.transformer_blocks."));
  }
  return levels;
}

// Fills what belongs to transformers.
void infer_transformers(const Shapes& shapes, const std::vector<UNetLevel>& levels, UNetOptions& out) {
  const std::string middle = "middle_block.1.";
  if (!shapes.any(middle + "transformer_blocks.")) return;
  out.use_spatial_transformer = true;
  out.context_dim = shapes.size(middle + "transformer_blocks.0.attn2.to_k.weight", 1);
  out.use_linear_in_transformer = shapes.dim(middle + "proj_in.weight") == 2;
  out.transformer_depth.clear();
  for (const auto& level : levels) out.transformer_depth.push_back(level.depth);
  out.transformer_depth.back() = shapes.count(middle + "transformer_blocks.");
}

std::vector<int64_t> resolutions_with_attention(const Shapes& shapes, const std::string& side, int64_t levels,
                                                int64_t resolution) {
  std::vector<int64_t> out;
  for (int64_t level = 0; level < levels; ++level) {
    if (shapes.any(side + std::to_string(level) + ".attn.")) out.push_back(resolution >> level);
  }
  return out;
}

AutoencoderOptions infer_autoencoder(const Shapes& shapes) {
  AutoencoderOptions out;
  out.ch = shapes.size("encoder.conv_in.weight", 0);
  out.in_channels = shapes.size("encoder.conv_in.weight", 1);
  out.out_ch = shapes.size("decoder.conv_out.weight", 0);
  out.z_channels = shapes.size("decoder.conv_in.weight", 1);
  out.double_z = shapes.size("encoder.conv_out.weight", 0) == 2 * out.z_channels;
  const int64_t levels = shapes.count("encoder.down.");
  check(out.ch > 0 && levels > 0, ErrorKind::kFormat, "first_stage_model: expected levels of an encoder");
  out.ch_mult.clear();
  for (int64_t level = 0; level < levels; ++level) {
    const std::string block = "encoder.down." + std::to_string(level) + ".block.0.conv2.weight";
    out.ch_mult.push_back(shapes.size(block, 0) / out.ch);
  }
  out.num_res_blocks = shapes.count("encoder.down.0.block.");
  out.attn_resolutions = resolutions_with_attention(shapes, "encoder.down.", levels, out.resolution);
  if (!shapes.any("encoder.mid.attn_1.")) out.attn_type = "none";
  return out;
}

}  // namespace

Node infer_unet(const StateDict& tensors, int64_t heads, int64_t head_channels) {
  const Shapes shapes(tensors, "model.diffusion_model.");
  UNetOptions out;
  out.model_channels = shapes.size("input_blocks.0.0.weight", 0);
  out.in_channels = shapes.size("input_blocks.0.0.weight", 1);
  out.out_channels = shapes.size("out.2.weight", 0);
  out.num_heads = heads;
  out.num_head_channels = head_channels;
  const auto levels = find_levels(shapes);
  out.channel_mult.clear();
  out.num_res_blocks.clear();
  for (size_t level = 0; level < levels.size(); ++level) {
    out.channel_mult.push_back(levels[level].width / std::max<int64_t>(out.model_channels, 1));
    out.num_res_blocks.push_back(levels[level].blocks);
    if (levels[level].attention) out.attention_resolutions.push_back(int64_t{1} << level);
  }
  infer_transformers(shapes, levels, out);
  const std::string embedding = "middle_block.0.emb_layers.1.weight",
                    width = "middle_block.0.out_layers.3.weight";
  out.use_scale_shift_norm = shapes.size(embedding, 0) == 2 * shapes.size(width, 0);
  if (shapes.has("label_emb.weight")) out.num_classes = std::to_string(shapes.size("label_emb.weight", 0));
  if (shapes.has("label_emb.0.0.weight")) {
    out.num_classes = "sequential";
    out.adm_in_channels = shapes.size("label_emb.0.0.weight", 1);
  }
  return write_options(out);
}

Node infer_first_stage(const StateDict& tensors) {
  const Shapes shapes(tensors, "first_stage_model.");
  FirstStageOptions out;
  out.ddconfig = infer_autoencoder(shapes);
  out.embed_dim = shapes.size("post_quant_conv.weight", 1);
  const bool codebook = shapes.has("quantize.embedding.weight");
  if (codebook) out.n_embed = shapes.size("quantize.embedding.weight", 0);
  Node node = Node::map();
  node.set("target", Node::string(codebook ? "vq_model" : "autoencoder_kl"));
  node.set("params", write_options(out));
  return node;
}

}  // namespace ldm
