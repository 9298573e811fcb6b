#include "ldm/model/diffusers_text_writer.h"

#include <utility>
#include <vector>

#include "ldm/config/yaml.h"
#include "ldm/core/error.h"
#include "ldm/io/file.h"
#include "ldm/model/clip_towers.h"
#include "ldm/model/diffusers_text.h"
#include "ldm/model/diffusers_weights.h"
#include "ldm/text/clip_merges.h"
#include "ldm/text/clip_tokenizer.h"

namespace ldm {
namespace {

namespace fs = std::filesystem;

// Where the pipelines of diffusers look: one tower's last layer with the norm, or two towers' last but one
// without, the second also pooled.
void check_context(const std::vector<ClipTower>& towers) {
  const bool two = towers.size() == 2;
  check(towers.size() <= 2, "a folder of diffusers holds at most two text encoders, got ", towers.size());
  for (size_t i = 0; i < towers.size(); ++i) {
    const auto& o = towers[i].options;
    const bool inner =
        !towers[i].context_is_normed() && towers[i].context_layers() == o.clip.num_hidden_layers - 1;
    const bool fits = two ? inner && o.always_return_pooled == (i == 1)
                          : towers[i].context_is_normed() && !o.always_return_pooled;
    check(fits && o.layer != "pooled",
          "a folder of diffusers cannot say that this model's text encoder is read at the layer ", o.layer,
          o.always_return_pooled ? ", pooled too" : "");
  }
}

Json encoder_config(const ClipTower& tower, bool two, bool projected) {
  const auto& o = tower.options.clip;
  return {{"architectures", {projected ? "CLIPTextModelWithProjection" : "CLIPTextModel"}},
          {"model_type", "clip_text_model"},
          {"vocab_size", o.vocab_size},
          {"hidden_size", o.hidden_size},
          {"intermediate_size", o.intermediate_size},
          {"num_hidden_layers", two ? o.num_hidden_layers : tower.context_layers()},
          {"num_attention_heads", o.num_attention_heads},
          {"max_position_embeddings", o.max_position_embeddings},
          {"hidden_act", o.hidden_act},
          {"layer_norm_eps", o.layer_norm_eps},
          // 2 stands for the greatest id, as with us.
          {"eos_token_id", o.eos_token_id.value_or(2)},
          {"projection_dim", o.projection_dim > 0 ? o.projection_dim : o.hidden_size}};
}

StateDict tower_tensors(const ClipTower& tower, const StateDict& tensors) {
  const std::string prefix = "cond_stage_model." + tower.prefix;
  StateDict out;
  for (auto it = tensors.lower_bound(prefix); it != tensors.end() && it->first.starts_with(prefix); ++it)
    out.emplace(it->first.substr(prefix.size()), it->second);
  if (tower.options.clip.naming == ClipNaming::kHuggingFace) return out;
  return clip_text_from_open_clip(std::move(out), tower.options.clip.num_hidden_layers);
}

void write_tokenizer(const fs::path& folder, const std::string& vocabulary, const ClipTower& tower) {
  const auto& o = tower.options;
  const bool open_clip = o.clip.naming == ClipNaming::kOpenClip;
  const std::string usual = open_clip ? "!" : "<|endoftext|>";
  write_clip_tokenizer_folder(folder, vocabulary, o.pad_token.empty() ? usual : o.pad_token, o.max_length);
}

// A tower as large as OpenAI's vocabulary has that, if the model carries none.
std::string vocabulary_of(const ClipTower& tower, const std::string& carried) {
  const bool openai = carried.empty() && tower.options.clip.vocab_size == kOpenAiClipPieces;
  return openai ? openai_clip_vocabulary() : carried;
}

}  // namespace

Json write_diffusers_text(const fs::path& folder, const Node& config, const StateDict& tensors,
                          const std::string& vocabulary, at::ScalarType dtype) {
  const auto towers = find_clip_towers(config);
  check_context(towers);
  Json index;
  const bool two = towers.size() == 2;
  for (size_t i = 0; i < towers.size(); ++i) {
    const std::string number = i == 0 ? "" : "_2";
    const bool projected = i == 1;
    Json json = encoder_config(towers[i], two, projected);
    if (i == 0) json[kKeptConfig] = to_yaml_flow(config);
    write_diffusers_part(folder / ("text_encoder" + number), json, tower_tensors(towers[i], tensors),
                         "model.safetensors", dtype);
    index["text_encoder" + number] = {"transformers",
                                      projected ? "CLIPTextModelWithProjection" : "CLIPTextModel"};
    index["tokenizer" + number] = {nullptr, nullptr};
    const auto pieces = vocabulary_of(towers[i], vocabulary);
    if (pieces.empty()) continue;
    write_tokenizer(folder / ("tokenizer" + number), pieces, towers[i]);
    index["tokenizer" + number] = {"transformers", "CLIPTokenizer"};
  }
  if (two) {
    const Node* zeros = config.find_path("params.zero_when_empty");
    index["force_zeros_for_empty_prompt"] = zeros != nullptr && zeros->text() == "true";
  }
  return index;
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
                     {"pad_token", pad_token},
                     {"unk_token", "<|endoftext|>"}};
  write_file_atomic(folder / "special_tokens_map.json", to_json(special, 2) + "\n");
  Json config = special;
  config["tokenizer_class"] = "CLIPTokenizer";
  config["do_lower_case"] = true;
  config["model_max_length"] = max_length;
  write_file_atomic(folder / "tokenizer_config.json", to_json(config, 2) + "\n");
}

}  // namespace ldm
