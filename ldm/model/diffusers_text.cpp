#include "ldm/model/diffusers_text.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "ldm/config/options.h"
#include "ldm/core/error.h"
#include "ldm/io/file.h"
#include "ldm/model/diffusers_weights.h"
#include "ldm/model/json_reader.h"
#include "ldm/model/name_map.h"
#include "ldm/text/clip_tokenizer.h"

namespace ldm {
namespace {

namespace fs = std::filesystem;

constexpr std::array<const char*, 3> kProjections{"self_attn.q_proj.", "self_attn.k_proj.",
                                                  "self_attn.v_proj."};

// All but the projections of the attention.
NameMap open_clip_names(int64_t layers) {
  NameMap map;
  map.add("text_model.embeddings.token_embedding", "token_embedding");
  map.add("text_model.embeddings.position_embedding.weight", "positional_embedding");
  map.add("text_model.final_layer_norm", "ln_final");
  map.add("text_projection.weight", "text_projection");
  for (int64_t i = 0; i < layers; ++i) {
    const std::string ours = "text_model.encoder.layers." + std::to_string(i) + ".";
    const std::string theirs = "transformer.resblocks." + std::to_string(i) + ".";
    map.add(ours + "self_attn.out_proj", theirs + "attn.out_proj");
    map.add(ours + "layer_norm1", theirs + "ln_1");
    map.add(ours + "layer_norm2", theirs + "ln_2");
    map.add(ours + "mlp.fc1", theirs + "mlp.c_fc");
    map.add(ours + "mlp.fc2", theirs + "mlp.c_proj");
  }
  return map;
}

std::string layer_name(int64_t i) { return "text_model.encoder.layers." + std::to_string(i) + "."; }
std::string block_name(int64_t i) { return "transformer.resblocks." + std::to_string(i) + ".attn."; }

torch::Tensor transposed_projection(const std::string& name, const torch::Tensor& tensor) {
  const bool projection = name == "text_projection" || name == "text_projection.weight";
  return projection && tensor.dim() == 2 ? tensor.t() : tensor;
}

std::string read_vocabulary(const fs::path& folder) {
  const MappedFile vocab(folder / "vocab.json"), merges(folder / "merges.txt");
  return ClipTokenizer::from_files(vocab.bytes(), merges.bytes()).to_vocab();
}

// An empty object where there is no such file.
Json read_small_file(const fs::path& path) {
  if (!fs::exists(path)) return Json::object();
  const MappedFile mapped(path);
  return parse_json(mapped.bytes(), path.string());
}

// The piece that fills up, a text or an object with its content; "" where the file does not say.
std::string pad_token_of(const Json& file, const std::string& where) {
  const JsonReader json(file, where);
  if (!json.has("pad_token")) return "";
  const Json& pad = file["pad_token"];
  return pad.is_object() ? JsonReader(pad, where).text("content") : json.text("pad_token");
}

// How captions are cut and filled up for a tower. Where the two small files disagree on the padding, as those
// of Stable Diffusion 2 do, transformers goes by special_tokens_map.json.
void set_tokenizer(Node& params, const fs::path& folder, const ClipTextOptions& tower) {
  const auto config_path = folder / "tokenizer_config.json", map_path = folder / "special_tokens_map.json";
  const Json config = read_small_file(config_path);
  auto pad = pad_token_of(read_small_file(map_path), map_path.string());
  if (pad.empty()) pad = pad_token_of(config, config_path.string());
  if (!pad.empty()) params.set("pad_token", Node::string(pad));
  const auto most = static_cast<double>(tower.max_position_embeddings);
  // 1e30 stands for no limit.
  const double length = JsonReader(config, config_path.string()).number("model_max_length", most);
  params.set("max_length", Node::integer(static_cast<int64_t>(std::clamp(length, 0.0, most))));
}

struct TextPart {
  ClipTextOptions options;
  StateDict tensors;
};

TextPart read_text_part(const fs::path& folder) {
  auto part = read_diffusers_part(folder);
  return {.options = read_clip_text_config(part.config, (folder / "config.json").string()),
          .tensors = clip_text_from_transformers(std::move(part.tensors))};
}

Node text_node(const char* target, Node params) {
  Node out = Node::map();
  out.set("target", Node::string(target));
  if (!params.is_null()) out.set("params", std::move(params));
  return out;
}

void move_under(StateDict& to, StateDict from, const std::string& prefix) {
  for (auto& [name, tensor] : from) to.emplace(prefix + name, std::move(tensor));
}

// A vector of numbers about the picture's size, as SDXL's generative-models configuration has three.
Node size_node(const char* key, int64_t width) {
  Node params = Node::map();
  params.set("outdim", Node::integer(width));
  Node out = text_node("size_embedder", std::move(params));
  out.set("input_key", Node::string(key));
  return out;
}

// SDXL: both towers at their last but one layer, the second also pooled, and three sizes.
DiffusersText open_two_towers(const fs::path& folder) {
  auto first = read_text_part(folder / "text_encoder"), second = read_text_part(folder / "text_encoder_2");
  DiffusersText out;
  Node one = write_options(first.options), two = write_options(second.options);
  set_tokenizer(one, folder / "tokenizer", first.options);
  set_tokenizer(two, folder / "tokenizer_2", second.options);
  one.set("layer", Node::string("hidden"));
  one.set("layer_idx", Node::integer(first.options.num_hidden_layers - 1));
  two.set("layer", Node::string("penultimate"));
  two.set("legacy", Node::boolean(false));
  two.set("always_return_pooled", Node::boolean(true));
  Node models = Node::sequence();
  models.push_back(text_node("clip_text", std::move(one)));
  models.push_back(text_node("open_clip_text", std::move(two)));
  for (const char* key : {"original_size_as_tuple", "crop_coords_top_left", "target_size_as_tuple"})
    models.push_back(size_node(key, 256));
  Node params = Node::map();
  params.set("emb_models", std::move(models));
  out.config = text_node("conditioner_list", std::move(params));
  move_under(out.tensors, std::move(first.tensors), "embedders.0.transformer.");
  move_under(out.tensors, clip_text_to_open_clip(std::move(second.tensors), second.options.num_hidden_layers),
             "embedders.1.model.");
  return out;
}

}  // namespace

ClipTextOptions read_clip_text_config(const Json& config, const std::string& where) {
  const JsonReader json(config, where);
  ClipTextOptions out;
  out.vocab_size = json.integer("vocab_size", out.vocab_size);
  out.hidden_size = json.integer("hidden_size", 512);
  out.intermediate_size = json.integer("intermediate_size", 2048);
  out.num_hidden_layers = json.integer("num_hidden_layers", 12);
  out.num_attention_heads = json.integer("num_attention_heads", 8);
  out.max_position_embeddings = json.integer("max_position_embeddings", 77);
  out.hidden_act = json.text("hidden_act", "quick_gelu");
  out.layer_norm_eps = json.number("layer_norm_eps", 1e-5);
  for (const auto& name : json.texts("architectures")) {
    if (name == "CLIPTextModelWithProjection") out.projection_dim = json.integer("projection_dim", 512);
  }
  if (json.has("eos_token_id")) out.eos_token_id = json.integer("eos_token_id", 2);
  return out;
}

StateDict clip_text_from_transformers(StateDict tensors) {
  StateDict out;
  while (!tensors.empty()) {
    auto entry = tensors.extract(tensors.begin());
    std::string name = entry.key();
    if (name.ends_with("position_ids")) continue;
    if (!name.starts_with("text_model.") && !name.starts_with("text_projection."))
      name = "text_model." + name;
    out.emplace(std::move(name), std::move(entry.mapped()));
  }
  return out;
}

StateDict clip_text_from_open_clip(StateDict tensors, int64_t layers) {
  const auto map = open_clip_names(layers);
  StateDict out;
  tensors.erase("logit_scale");
  for (int64_t i = 0; i < layers; ++i) {
    for (const char* what : {"weight", "bias"}) {
      const auto found = tensors.extract(block_name(i) + "in_proj_" + what);
      if (found.empty()) continue;
      const auto thirds = found.mapped().chunk(3, 0);
      for (size_t k = 0; k < thirds.size(); ++k) out[layer_name(i) + kProjections[k] + what] = thirds[k];
    }
  }
  for (const auto& [name, tensor] : tensors) {
    const auto ours = map.to_ours(name);
    check(ours.has_value(), ErrorKind::kFormat, "text encoder: the tensor '", name,
          "' is not one of OpenCLIP's tower");
    out[*ours] = transposed_projection(name, tensor);
  }
  return out;
}

StateDict clip_text_to_open_clip(StateDict tensors, int64_t layers) {
  const auto map = open_clip_names(layers);
  StateDict out;
  for (int64_t i = 0; i < layers; ++i) {
    for (const char* what : {"weight", "bias"}) {
      std::vector<torch::Tensor> parts;
      for (const char* projection : kProjections) {
        auto found = tensors.extract(layer_name(i) + projection + what);
        if (!found.empty()) parts.push_back(std::move(found.mapped()));
      }
      if (parts.size() == 3) out[block_name(i) + "in_proj_" + what] = at::cat(parts, 0);
    }
  }
  for (const auto& [name, tensor] : tensors) {
    const auto theirs = map.to_theirs(name);
    check(theirs.has_value(), ErrorKind::kFormat, "text encoder: the tensor '", name,
          "' is not one of CLIP's tower");
    out[*theirs] = transposed_projection(name, tensor);
  }
  out["logit_scale"] = at::scalar_tensor(std::log(1 / 0.07), at::kFloat);
  return out;
}

void write_clip_tokenizer_folder(const fs::path& folder, const std::string& vocabulary,
                                 const std::string& pad_token, int64_t max_length) {
  std::string merges = vocabulary;
  Json vocab = Json::object();
  if (vocabulary.starts_with('{')) {
    const Json both = parse_json(as_bytes(vocabulary), "vocabulary");
    merges = both.at("merges").get<std::string>();
    vocab = both.at("vocab");
  } else {
    const auto list = parse_merges(as_bytes(vocabulary), "vocabulary");
    for (const auto& [piece, id] : BytePairs::original_ids(list)) vocab[piece] = id;
    const auto begin = static_cast<int64_t>(vocab.size());
    vocab["<|startoftext|>"] = begin;
    vocab["<|endoftext|>"] = begin + 1;
  }
  fs::create_directory(folder);
  write_file_atomic(folder / "vocab.json", to_json(vocab));
  write_file_atomic(folder / "merges.txt", merges);
  const Json special{{"bos_token", "<|startoftext|>"},
                     {"eos_token", "<|endoftext|>"},
                     {"pad_token", pad_token.empty() ? "<|endoftext|>" : pad_token},
                     {"unk_token", "<|endoftext|>"}};
  write_file_atomic(folder / "special_tokens_map.json", to_json(special, 2) + "\n");
  Json config = special;
  config["tokenizer_class"] = "CLIPTokenizer";
  config["do_lower_case"] = true;
  config["model_max_length"] = max_length;
  write_file_atomic(folder / "tokenizer_config.json", to_json(config, 2) + "\n");
}

DiffusersText open_diffusers_text(const fs::path& folder) {
  DiffusersText out;
  if (!fs::exists(folder / "text_encoder")) {
    out.config = text_node("unconditional", {});
    return out;
  }
  if (fs::exists(folder / "text_encoder_2")) {
    out = open_two_towers(folder);
  } else {
    auto part = read_text_part(folder / "text_encoder");
    Node params = write_options(part.options);
    set_tokenizer(params, folder / "tokenizer", part.options);
    out.config = text_node("clip_text", std::move(params));
    move_under(out.tensors, std::move(part.tensors), "transformer.");
  }
  out.vocabulary = read_vocabulary(folder / "tokenizer");
  return out;
}

}  // namespace ldm
