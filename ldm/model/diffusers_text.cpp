#include "ldm/model/diffusers_text.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "ldm/config/options.h"
#include "ldm/config/yaml.h"
#include "ldm/core/error.h"
#include "ldm/io/file.h"
#include "ldm/model/clip_towers.h"
#include "ldm/model/diffusers_weights.h"
#include "ldm/model/json_reader.h"
#include "ldm/text/clip_tokenizer.h"

namespace ldm {
namespace {

namespace fs = std::filesystem;

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
  Json config;
  std::string where;
  StateDict tensors;
};

TextPart read_text_part(const fs::path& folder) {
  auto part = read_diffusers_part(folder);
  return {.config = std::move(part.config),
          .where = (folder / "config.json").string(),
          .tensors = clip_text_from_transformers(std::move(part.tensors))};
}

Node text_node(const char* target, Node params) {
  Node out = Node::map();
  out.set("target", Node::string(target));
  if (!params.is_null()) out.set("params", std::move(params));
  return out;
}

// A vector of numbers about the picture's size, as SDXL's generative-models configuration has three.
Node size_node(const char* key, int64_t width) {
  Node params = Node::map();
  params.set("outdim", Node::integer(width));
  Node out = text_node("size_embedder", std::move(params));
  out.set("input_key", Node::string(key));
  return out;
}

// What pipelines do with the towers of config.json. SDXL: both at their last but one layer, the second also
// pooled, and three sizes.
Node usual_config(const std::vector<TextPart>& parts, const fs::path& folder) {
  const auto first = read_clip_text_config(parts[0].config, parts[0].where);
  if (parts.size() == 1) return text_node("clip_text", write_options(first));
  const auto second = read_clip_text_config(parts[1].config, parts[1].where);
  Node one = write_options(first), two = write_options(second);
  one.set("layer", Node::string("hidden"));
  one.set("layer_idx", Node::integer(first.num_hidden_layers - 1));
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
  const auto index = folder / "model_index.json";
  const Json pipeline = read_small_file(index);
  const bool zeros = JsonReader(pipeline, index.string()).boolean("force_zeros_for_empty_prompt", true);
  params.set("zero_when_empty", Node::boolean(zeros));
  return text_node("conditioner_list", std::move(params));
}

// Whether a part still has what that tower had when it was written: another program may have saved the folder
// again without what it does not use.
bool still_whole(const TextPart& part, const ClipTower& tower) {
  const auto layer = [](int64_t i) {
    return "text_model.encoder.layers." + std::to_string(i) + ".layer_norm1.weight";
  };
  const auto layers = tower.options.clip.num_hidden_layers;
  const bool open_clip = tower.options.clip.naming == ClipNaming::kOpenClip;
  return part.tensors.contains(layer(layers - 1)) && !part.tensors.contains(layer(layers)) &&
         (!open_clip || part.tensors.contains("logit_scale"));
}

// The model's own cond_stage_config, where the folder was written by this program.
std::optional<Node> kept_config(const std::vector<TextPart>& parts) {
  const JsonReader json(parts[0].config, parts[0].where);
  if (!json.has(kKeptConfig)) return std::nullopt;
  const auto text = json.text(kKeptConfig);
  Node config = parse_yaml(std::string_view(text), parts[0].where + "#" + kKeptConfig);
  const auto towers = find_clip_towers(config);
  if (towers.size() != parts.size()) return std::nullopt;
  for (size_t i = 0; i < towers.size(); ++i) {
    if (!still_whole(parts[i], towers[i])) return std::nullopt;
  }
  return config;
}

// The tokenizers' settings go into the params of the towers, in order.
void set_tokenizers(Node& config, const fs::path& folder, const std::vector<ClipTower>& towers) {
  std::vector<Node*> entries;
  if (Node* params = config.find("params"); params != nullptr && params->find("emb_models") != nullptr) {
    for (Node& entry : params->find("emb_models")->items()) entries.push_back(&entry);
  } else {
    entries.push_back(&config);
  }
  for (size_t i = 0; i < towers.size(); ++i) {
    if (entries[i]->find("params") == nullptr) entries[i]->set("params", Node::map());
    set_tokenizer(*entries[i]->find("params"), folder / (i == 0 ? "tokenizer" : "tokenizer_2"),
                  towers[i].options.clip);
  }
}

void move_under(StateDict& to, StateDict from, const std::string& prefix) {
  for (auto& [name, tensor] : from) to.emplace(prefix + name, std::move(tensor));
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

DiffusersText open_diffusers_text(const fs::path& folder) {
  DiffusersText out;
  if (!fs::exists(folder / "text_encoder")) {
    out.config = text_node("unconditional", {});
    return out;
  }
  std::vector<TextPart> parts;
  parts.push_back(read_text_part(folder / "text_encoder"));
  if (fs::exists(folder / "text_encoder_2")) parts.push_back(read_text_part(folder / "text_encoder_2"));
  const auto kept = kept_config(parts);
  out.config = kept ? *kept : usual_config(parts, folder);
  const auto towers = find_clip_towers(out.config);
  set_tokenizers(out.config, folder, towers);
  for (size_t i = 0; i < parts.size(); ++i) {
    const auto& clip = towers[i].options.clip;
    auto tensors = std::move(parts[i].tensors);
    if (clip.naming == ClipNaming::kOpenClip)
      tensors = clip_text_to_open_clip(std::move(tensors), clip.num_hidden_layers);
    move_under(out.tensors, std::move(tensors), towers[i].prefix);
  }
  if (fs::exists(folder / "tokenizer")) out.vocabulary = read_vocabulary(folder / "tokenizer");
  return out;
}

}  // namespace ldm
