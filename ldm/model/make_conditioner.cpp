#include "ldm/model/make_conditioner.h"

#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "ldm/config/options.h"
#include "ldm/core/error.h"
#include "ldm/model/class_conditioner.h"
#include "ldm/model/clip_conditioner.h"
#include "ldm/model/clip_feature_conditioner.h"
#include "ldm/model/conditioner_group.h"
#include "ldm/model/identity_conditioner.h"
#include "ldm/model/map_conditioner.h"
#include "ldm/model/size_conditioner.h"
#include "ldm/model/targets.h"
#include "ldm/model/text_conditioner.h"
#include "ldm/nn/layers.h"
#include "ldm/text/clip_merges.h"

namespace ldm {
namespace {

// For names and counts: there is nothing to encode with.
std::shared_ptr<Conditioner> text_shapes(TextConditionerOptions options) {
  options.pooled = false;
  return std::make_shared<TextConditioner>(options, std::nullopt);
}

std::shared_ptr<Conditioner> make_text(const Node& params, const ConditionerSetting& setting,
                                       const std::string& where) {
  TextConditionerOptions options{.transformer = {}, .max_length = 0, .pooled = setting.wiring.y};
  read_options(params, options.transformer, where + ".params");
  options.max_length = options.transformer.max_seq_len;
  if (!options.transformer.use_tokenizer) return std::make_shared<TextConditioner>(options, std::nullopt);
  if (init_mode() == Init::kMeta) return text_shapes(options);
  const auto& vocabulary = setting.vocabulary;
  check(!vocabulary.empty(), ErrorKind::kFormat, where,
        ": the text encoder needs a vocabulary in the model file", kVocabularyHint);
  auto tokenizer = WordPiece::from_vocab(std::as_bytes(std::span(vocabulary)));
  check(tokenizer.size() <= options.transformer.vocab_size, ErrorKind::kFormat, where,
        ": the vocabulary has ", tokenizer.size(), " pieces, the network knows ",
        options.transformer.vocab_size);
  return std::make_shared<TextConditioner>(options, std::move(tokenizer));
}

// The file's vocabulary; without one OpenAI's, if that is what the tower's size says. Nothing: it has
// neither, or names and counts are all that is wanted.
std::optional<ClipTokenizer> clip_tokenizer(const ConditionerSetting& setting,
                                            const ClipTokenizerOptions& options, const ClipTextOptions& clip,
                                            const std::string& where) {
  const bool openai = setting.vocabulary.empty() && clip.vocab_size == kOpenAiClipPieces;
  if (init_mode() == Init::kMeta || (setting.vocabulary.empty() && !openai)) return std::nullopt;
  const auto vocabulary = openai ? openai_clip_vocabulary() : setting.vocabulary;
  auto tokenizer = ClipTokenizer::from_vocab(std::as_bytes(std::span(vocabulary)), options);
  check(tokenizer.size() <= clip.vocab_size, ErrorKind::kFormat, where, ": the vocabulary has ",
        tokenizer.size(), " pieces, the network knows ", clip.vocab_size);
  return tokenizer;
}

// Captions as long as the tower allows, unless the file says how long.
int64_t caption_length(const Node& params, int64_t max_length, const ClipTextOptions& tower) {
  return params.find("max_length") ? max_length : tower.max_position_embeddings;
}

std::shared_ptr<Conditioner> make_clip(const Node& params, const ConditionerSetting& setting,
                                       ClipNaming naming, const std::string& where) {
  const auto options = read_clip_options(params, naming, where);
  const auto rules = naming == ClipNaming::kOpenClip ? ClipRules::kOpenAi : ClipRules::kHuggingFace;
  return std::make_shared<ClipConditioner>(
      options,
      clip_tokenizer(setting, {.rules = rules, .pad_token = options.pad_token}, options.clip, where));
}

std::shared_ptr<Conditioner> make_clip_feature_text(const Node& params, const ConditionerSetting& setting,
                                                    const std::string& where) {
  ClipFeatureTextOptions options;
  if (const auto* version = params.find("version")) options.version = version->text();
  options.clip = openai_text_sizes(options.version);
  read_options(params, options, where + ".params");
  options.max_length = caption_length(params, options.max_length, options.clip);
  return std::make_shared<ClipFeatureTextConditioner>(
      options, clip_tokenizer(setting, {.rules = ClipRules::kOpenAi}, options.clip, where));
}

std::shared_ptr<Conditioner> make_clip_feature_image(const Node& params, const std::string& where) {
  ClipFeatureImageOptions options;
  if (const auto* model = params.find("model")) options.model = model->text();
  options.clip = openai_image_sizes(options.model);
  read_options(params, options, where + ".params");
  return std::make_shared<ClipFeatureImageConditioner>(options);
}

std::shared_ptr<Conditioner> make_class(const Node& params, const std::string& where) {
  ClassConditionerOptions options;
  read_options(params, options, where + ".params");
  return std::make_shared<ClassConditioner>(options);
}

std::shared_ptr<Conditioner> make_rescaler(const Node& params, const std::string& where) {
  SpatialRescalerOptions options;
  read_options(params, options, where + ".params");
  return std::make_shared<RescalerConditioner>(options);
}

// Inpainting models have one channel more than the picture's latents: the mask.
std::shared_ptr<Conditioner> make_first_stage_condition(const ConditionerSetting& setting,
                                                        const std::string& where) {
  const auto latents = setting.first_stage->latent_channels();
  check(setting.concat_channels == latents || setting.concat_channels == latents + 1, where,
        ": the first stage as conditioner gives ", latents, " channels, ", latents + 1,
        " with a mask; the network has ", setting.concat_channels, " beyond those of the latents");
  return std::make_shared<FirstStageConditioner>(setting.first_stage, setting.concat_channels > latents
                                                                          ? PictureStyle::kPaperInpaint
                                                                          : PictureStyle::kLatents);
}

struct SizeOptions {
  int64_t outdim = 256;

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("outdim", outdim, "width of each number's embedding");
  }
};

// input_key stands beside params.
std::shared_ptr<Conditioner> make_size(const Node& config, const Node& params, const std::string& where) {
  SizeOptions options;
  read_options(params, options, where + ".params");
  const auto* key = config.find("input_key");
  return std::make_shared<SizeConditioner>(key ? key->text() : "", options.outdim);
}

// What may stand beside target and params in a list.
struct ListEntry {
  std::string target, input_key;
  Node params;

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("target", target, "the conditioner");
    visit.node("params", params, "its settings");
    visit("input_key", input_key, "size_embedder: the numbers that it reads");
    visit.ignored("is_trainable", "cond_stage_trainable decides for all");
    visit.ignored("ucg_rate", "data.captions.dropout says how often the caption is left out");
    visit.ignored("legacy_ucg_value", "an empty caption means none");
  }
};

struct ListOptions {
  std::vector<Node> emb_models;
  bool zero_when_empty = false;

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("emb_models", emb_models, "conditioners: target, params and input_key of each");
    visit("zero_when_empty", zero_when_empty, "an empty caption is zeros, as SDXL was trained");
  }
};

std::shared_ptr<Conditioner> make_list(const Node& params, const ConditionerSetting& setting,
                                       const std::string& where) {
  ListOptions options;
  read_options(params, options, where + ".params");
  std::vector<ConditionerGroup::Member> members;
  for (size_t i = 0; i < options.emb_models.size(); ++i) {
    const auto index = std::to_string(i), place = where + ".params.emb_models[" + index + "]";
    ListEntry entry;
    read_options(options.emb_models[i], entry, place);
    auto member = make_conditioner(options.emb_models[i], setting, place);
    members.push_back({.name = "embedders." + index, .conditioner = std::move(member)});
  }
  return std::make_shared<ConditionerGroup>(std::move(members), options.zero_when_empty);
}

struct HybridOptions {
  Node c_concat_config, c_crossattn_config;

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit.node("c_concat_config", c_concat_config, "conditioner of the map");
    visit.node("c_crossattn_config", c_crossattn_config, "conditioner of the context");
  }
};

std::shared_ptr<Conditioner> make_hybrid(const Node& params, ConditionerSetting setting,
                                         const std::string& where) {
  HybridOptions options;
  read_options(params, options, where + ".params");
  setting.wiring = {.concat = true};
  auto map = make_conditioner(options.c_concat_config, setting, where + ".params.c_concat_config");
  setting.wiring = {.context = true};
  auto words = make_conditioner(options.c_crossattn_config, setting, where + ".params.c_crossattn_config");
  return std::make_shared<ConditionerGroup>(
      std::vector<ConditionerGroup::Member>{
          {.name = "concat_conditioner", .conditioner = std::move(map)},
          {.name = "crossattn_conditioner", .conditioner = std::move(words)}},
      /*zero_when_empty=*/false);
}

}  // namespace

std::shared_ptr<Conditioner> make_conditioner(const Node& config, const ConditionerSetting& setting,
                                              const std::string& where) {
  const auto name = config.is_scalar() ? config.text() : config.at("target").text();
  static const Node kNoParams;
  const auto* found = config.find("params");
  const Node& params = found ? *found : kNoParams;
  switch (const auto target = parse_target(name, where + ".target")) {
    case Target::kTextTransformer:
      return make_text(params, setting, where);
    case Target::kClipText:
      return make_clip(params, setting, ClipNaming::kHuggingFace, where);
    case Target::kOpenClipText:
      return make_clip(params, setting, ClipNaming::kOpenClip, where);
    case Target::kClipPooledText:
      return make_clip_feature_text(params, setting, where);
    case Target::kClipImage:
      return make_clip_feature_image(params, where);
    case Target::kClassEmbedder:
      return make_class(params, where);
    case Target::kSpatialRescaler:
      return make_rescaler(params, where);
    case Target::kFirstStageCondition:
      return make_first_stage_condition(setting, where);
    case Target::kIdentity:
      return std::make_shared<IdentityConditioner>(setting.wiring, setting.context_dim, setting.classes,
                                                   setting.concat_channels);
    case Target::kSizeEmbedder:
      return make_size(config, params, where);
    case Target::kConditionerList:
      return make_list(params, setting, where);
    case Target::kHybridCondition:
      return make_hybrid(params, setting, where);
    case Target::kUnconditional:
      return nullptr;
    default:
      fail(ErrorKind::kUsage, where, ".target: expected a conditioner, got '", to_string(target), "'");
  }
}

}  // namespace ldm
