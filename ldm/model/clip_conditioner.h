#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "ldm/config/node.h"
#include "ldm/model/conditioner.h"
#include "ldm/model/word_learner.h"
#include "ldm/nn/clip_text.h"
#include "ldm/text/clip_tokenizer.h"

namespace ldm {

// Keys of FrozenCLIPEmbedder (Stable Diffusion 1, SDXL's first) and FrozenOpenCLIPEmbedder(2) (Stable
// Diffusion 2, SDXL's second), and ours: the sizes of the tower and what the tokenizer pads with.
struct ClipConditionerOptions {
  ClipTextOptions clip;
  std::string version;               // FrozenCLIPEmbedder: openai/clip-vit-large-patch14, or nothing.
  std::string arch;                  // FrozenOpenCLIPEmbedder: ViT-L-14, ViT-H-14, ViT-g-14, ViT-bigG-14.
  std::string layer = "last";        // last, penultimate, hidden (see layer_idx) or pooled (one token).
  std::optional<int64_t> layer_idx;  // hidden: the state after so many layers.
  // Whether last and penultimate get the final norm: Stable Diffusion yes, SDXL no. hidden never has it.
  bool legacy = true;
  bool always_return_pooled = false;  // Also give the projected pooled state as y.
  int64_t max_length = 77;
  std::string pad_token;  // See ClipTokenizerOptions.

  template <typename Visit>
  void fields(Visit&& visit) {
    clip.fields(visit);
    visit("version", version, "openai/clip-vit-large-patch14, for the sizes; or nothing");
    visit("arch", arch, "ViT-L-14, ViT-H-14, ViT-g-14 or ViT-bigG-14, for the sizes of an OpenCLIP tower");
    visit("layer", layer, "whose state is the context: last, penultimate, hidden (layer_idx) or pooled");
    visit("layer_idx", layer_idx, "hidden: the state after so many layers");
    visit("legacy", legacy, "last and penultimate get the final norm; hidden never does");
    visit("always_return_pooled", always_return_pooled, "also give the projected pooled state as a vector");
    visit("max_length", max_length,
          "tokens of a caption, begin and end included; by default all that the tower has");
    visit("pad_token", pad_token, "the piece that fills captions up; empty: the encoder's usual one");
    visit.ignored("device", "--device says where");
    visit.ignored("freeze", "cond_stage_trainable decides");
  }
};

// Sizes by `version` or `arch`, which the file's own keys may change. Throws kUsage for an arch that is not
// known.
ClipTextOptions clip_sizes(const std::string& arch, ClipNaming naming);

// The settings of a conditioner from its params: sizes by name first, then what the file says itself;
// captions are as long as the tower allows, unless it says how long. `where` leads to the conditioner, for
// messages. Throws kUsage.
ClipConditionerOptions read_clip_options(const Node& params, ClipNaming naming, const std::string& where);

// CLIP's states of a caption as context. Keys `transformer.*` (Hugging Face's names) or `model.*`
// (OpenCLIP's).
class ClipConditioner : public Conditioner, public WordLearner {
 public:
  // Without a tokenizer it takes prepared tokens only. Throws kUsage for a layer that the tower does not
  // have.
  ClipConditioner(const ClipConditionerOptions& options, std::optional<ClipTokenizer> tokenizer);
  Conditioning encode(std::span<const Condition> conditions) const override;
  std::string vocabulary() const override { return tokenizer_ ? tokenizer_->to_vocab() : std::string(); }
  std::string complaint(const std::string& prompt) const override;
  bool takes_words() const override { return tokenizer_.has_value(); }
  bool has_null() const override { return tokenizer_.has_value(); }
  int64_t word_width() const override;
  void learn_word(const std::vector<std::string>& names, const torch::Tensor& vectors) override;

  ClipText& clip() const { return *clip_; }

 private:
  int64_t skip_of(const CaptionReading& reading) const;

  ClipConditionerOptions options_;
  std::optional<ClipTokenizer> tokenizer_;
  LearnedWords words_;
  std::shared_ptr<ClipText> clip_;
};

}  // namespace ldm
