#include "ldm/model/infer_config.h"

#include <utility>

#include "ldm/core/error.h"
#include "ldm/model/infer_networks.h"
#include "ldm/nn/autoencoder.h"
#include "ldm/nn/unet_options.h"

namespace ldm {
namespace {

Node with_target(const char* target, Node params) {
  Node out = Node::map();
  out.set("target", Node::string(target));
  if (!params.is_null()) out.set("params", std::move(params));
  return out;
}

// Whose model it is, by the condition's encoder.
struct Family {
  const char* conditioning_key;
  const char* condition;  // Target, unless it is a list.
  double scale_factor, linear_start, linear_end;
  int64_t heads, head_channels;  // One of them is -1.
  int64_t image_size;
};

constexpr Family kStable1{"crossattn", "clip_text", 0.18215, 0.00085, 0.012, 8, -1, 64};
constexpr Family kStable2{"crossattn", "open_clip_text", 0.18215, 0.00085, 0.012, -1, 64, 64};
constexpr Family kStableXl{"crossattn-adm", "", 0.13025, 0.00085, 0.012, -1, 64, 128};
constexpr Family kCaption{"crossattn", "text_transformer", 0.18215, 0.00085, 0.012, 8, -1, 32};
constexpr Family kClass{"crossattn", "class_embedder", 1.0, 0.0015, 0.0195, 1, -1, 64};
constexpr Family kUnconditional{"", "unconditional", 1.0, 0.0015, 0.0195, -1, 32, 64};

constexpr char kEncoder[] = "cond_stage_model.", kEncoders[] = "cond_stage_model.embedders.";
constexpr char kClipTokens[] = "transformer.text_model.embeddings.token_embedding.weight";
constexpr char kOpenClipTokens[] = "model.token_embedding.weight";

// generative-models puts one encoder into a list, too.
bool has_list(const StateDict& tensors) {
  const auto first = tensors.lower_bound(kEncoders);
  return first != tensors.end() && first->first.starts_with(kEncoders);
}

const Family& find_family(const StateDict& tensors) {
  const auto has = [&](const std::string& name) { return tensors.contains(name); };
  const bool list = has_list(tensors);
  std::string encoder = list ? kEncoders : kEncoder;
  if (list) encoder += "0.";
  const bool clip = has(encoder + kClipTokens), open_clip = has(encoder + kOpenClipTokens);
  if (list && (clip || open_clip) && has("model.diffusion_model.label_emb.0.0.weight")) return kStableXl;
  if (clip) return kStable1;
  if (open_clip) return kStable2;
  if (has("cond_stage_model.transformer.token_emb.weight")) return kCaption;
  if (has("cond_stage_model.embedding.weight")) return kClass;
  const auto first = tensors.lower_bound("cond_stage_model.");
  check(first == tensors.end() || !first->first.starts_with("cond_stage_model."), ErrorKind::kFormat,
        "the condition's encoder is not recognised by its weights, such as '",
        first == tensors.end() ? std::string() : first->first, "'; hint: --config names the model's YAML");
  return kUnconditional;
}

int64_t size_of_dim(const StateDict& tensors, const std::string& name, int64_t dim) {
  const auto found = tensors.find(name);
  check(found != tensors.end() && found->second.dim() > dim, ErrorKind::kFormat, "expected the tensor '",
        name, "' to tell the configuration; hint: --config names the model's YAML");
  return found->second.size(dim);
}

// How many of prefix0., prefix1., ... there are.
int64_t count_blocks(const StateDict& tensors, const std::string& prefix) {
  int64_t count = 0;
  const auto is_there = [&](int64_t i) {
    const std::string name = prefix + std::to_string(i) + ".";
    const auto at = tensors.lower_bound(name);
    return at != tensors.end() && at->first.starts_with(name);
  };
  while (is_there(count)) ++count;
  return count;
}

Node clip_params(const char* key, const char* value) {
  Node params = Node::map();
  params.set(key, Node::string(value));
  return params;
}

// OpenCLIP's towers are known by their width.
const char* open_clip_arch(const StateDict& tensors, const std::string& tower) {
  const int64_t width = size_of_dim(tensors, tower + "token_embedding.weight", 1);
  check(width == 1024 || width == 1280, ErrorKind::kFormat,
        "expected an OpenCLIP text encoder of width 1024 or 1280, got ", width,
        "; hint: --config names the model's YAML");
  return width == 1024 ? "ViT-H-14" : "ViT-bigG-14";
}

Node size_embedder(const char* key) {
  Node params = Node::map();
  params.set("outdim", Node::integer(256));
  Node out = with_target("size_embedder", std::move(params));
  out.set("input_key", Node::string(key));
  return out;
}

// One text encoder of a list: below `base`. SDXL takes its state before the last layer, without a norm.
Node listed_encoder(const StateDict& tensors, const std::string& base, bool xl) {
  if (tensors.contains(base + kClipTokens)) {
    if (!xl) return with_target("clip_text", {});
    Node params = clip_params("layer", "hidden");
    params.set("layer_idx", Node::integer(11));
    return with_target("clip_text", std::move(params));
  }
  check(tensors.contains(base + kOpenClipTokens), ErrorKind::kFormat, "the encoder '", base,
        "*' is not recognised by its weights; hint: --config names the model's YAML");
  Node params = clip_params("layer", "penultimate");
  params.set("arch", Node::string(open_clip_arch(tensors, base + "model.")));
  if (xl) {
    params.set("legacy", Node::boolean(false));
    params.set("always_return_pooled", Node::boolean(true));
  }
  return with_target("open_clip_text", std::move(params));
}

// The text encoders of a list and, for SDXL, the three sizes, which have no weights.
Node list_params(const StateDict& tensors, bool xl) {
  Node models = Node::sequence();
  const int64_t count = count_blocks(tensors, kEncoders);
  for (int64_t i = 0; i < count; ++i)
    models.push_back(listed_encoder(tensors, kEncoders + std::to_string(i) + ".", xl));
  if (xl) {
    for (const char* key : {"original_size_as_tuple", "crop_coords_top_left", "target_size_as_tuple"})
      models.push_back(size_embedder(key));
  }
  Node params = Node::map();
  params.set("emb_models", std::move(models));
  if (xl) params.set("zero_when_empty", Node::boolean(true));
  return params;
}

Node condition_params(const StateDict& tensors, const Family& family) {
  if (&family == &kStable1) return clip_params("version", "openai/clip-vit-large-patch14");
  Node params = Node::map();
  if (&family == &kStable2) {
    params.set("arch", Node::string(open_clip_arch(tensors, "cond_stage_model.model.")));
    params.set("layer", Node::string("penultimate"));
    return params;
  }
  if (&family == &kClass) {
    params.set("n_classes", Node::integer(size_of_dim(tensors, "cond_stage_model.embedding.weight", 0)));
    params.set("embed_dim", Node::integer(size_of_dim(tensors, "cond_stage_model.embedding.weight", 1)));
    return params;
  }
  if (&family == &kCaption) {
    const std::string base = "cond_stage_model.transformer.";
    params.set("n_embed", Node::integer(size_of_dim(tensors, base + "token_emb.weight", 1)));
    params.set("n_layer", Node::integer(count_blocks(tensors, base + "attn_layers.layers.") / 2));
    params.set("vocab_size", Node::integer(size_of_dim(tensors, base + "token_emb.weight", 0)));
    params.set("max_seq_len", Node::integer(size_of_dim(tensors, base + "pos_emb.emb.weight", 0)));
    return params;
  }
  return {};
}

}  // namespace

Node infer_config(const StateDict& tensors) {
  Node model = Node::map(), config = Node::map();
  Node first_stage = infer_first_stage(tensors);
  if (!tensors.contains("model.diffusion_model.input_blocks.0.0.weight")) {
    config.set("model", std::move(first_stage));
    return config;
  }
  const Family& family = find_family(tensors);
  Node params = Node::map();
  params.set("linear_start", Node::number(family.linear_start));
  params.set("linear_end", Node::number(family.linear_end));
  params.set("timesteps", Node::integer(1000));
  params.set("image_size", Node::integer(family.image_size));
  params.set("channels", Node::integer(size_of_dim(tensors, "model.diffusion_model.out.2.weight", 0)));
  params.set("scale_factor", Node::number(family.scale_factor));
  if (*family.conditioning_key != '\0') params.set("conditioning_key", Node::string(family.conditioning_key));
  Node unet = infer_unet(tensors, family.heads, family.head_channels);
  params.set("unet_config", with_target("unet", std::move(unet)));
  params.set("first_stage_config", std::move(first_stage));
  params.set("cond_stage_config",
             has_list(tensors) ? with_target("conditioner_list", list_params(tensors, &family == &kStableXl))
                               : with_target(family.condition, condition_params(tensors, family)));
  config.set("model", with_target("latent_diffusion", std::move(params)));
  return config;
}

void set_scale_factor(Node& config, double factor) {
  Node* model = config.find("model");
  Node* params = model == nullptr ? nullptr : model->find("params");
  if (params == nullptr) return;
  params->set("scale_factor", Node::number(factor));
  params->erase("scale_by_std");
}

}  // namespace ldm
