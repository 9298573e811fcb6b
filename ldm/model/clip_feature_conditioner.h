#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "ldm/model/conditioner.h"
#include "ldm/nn/clip_image.h"
#include "ldm/nn/clip_text.h"
#include "ldm/text/clip_tokenizer.h"

namespace ldm {

// Keys of the original's FrozenCLIPTextEmbedder, and ours: the sizes of the tower.
struct ClipFeatureTextOptions {
  ClipTextOptions clip;
  std::string version = "ViT-L/14";  // For the sizes: ViT-L/14, ViT-B/32 or ViT-B/16.
  int64_t max_length = 77;           // Tokens of a caption, begin and end included.
  int64_t n_repeat = 1;              // Tokens of the context, all the same.
  bool normalize = true;             // To length 1.

  template <typename Visit>
  void fields(Visit&& visit) {
    clip.fields(visit);
    visit("version", version, "ViT-L/14, ViT-B/32 or ViT-B/16, for the sizes");
    visit("max_length", max_length,
          "tokens of a caption, begin and end included; by default all that the tower has");
    visit("n_repeat", n_repeat, "tokens of the context, all the same");
    visit("normalize", normalize, "scale the feature to length 1");
    visit.ignored("device", "--device says where");
  }
};

// CLIP's feature of a caption as context (retrieval-augmented diffusion, Blattmann et al. 2022): what it has
// in common with the features of pictures. Keys `model.*`, OpenAI's.
class ClipFeatureTextConditioner : public Conditioner {
 public:
  // Without a tokenizer it takes prepared tokens only.
  ClipFeatureTextConditioner(const ClipFeatureTextOptions& options, std::optional<ClipTokenizer> tokenizer);
  // context [N, n_repeat, projection_dim].
  Conditioning encode(std::span<const Condition> conditions) const override;
  std::string vocabulary() const override { return tokenizer_ ? tokenizer_->to_vocab() : std::string(); }
  std::string complaint(const std::string& prompt) const override;
  bool takes_words() const override { return tokenizer_.has_value(); }
  bool has_null() const override { return tokenizer_.has_value(); }

 private:
  ClipFeatureTextOptions options_;
  std::optional<ClipTokenizer> tokenizer_;
  std::shared_ptr<ClipText> clip_;
};

// Keys of the original's FrozenClipImageEmbedder, and ours.
struct ClipFeatureImageOptions {
  ClipImageOptions clip;
  std::string model = "ViT-L/14";  // For the sizes, as above.

  template <typename Visit>
  void fields(Visit&& visit) {
    clip.fields(visit);
    visit("model", model, "ViT-L/14, ViT-B/32 or ViT-B/16, for the sizes");
    visit.only("antialias", "false", "pictures are resized as the original does");
    visit.ignored("jit", "there is one way to run it");
    visit.ignored("device", "--device says where");
  }
};

// CLIP's feature of a picture as context of one token: resized to the tower's size (bicubic, corners
// aligned), then ClipImage. Reads `picture`. Keys `model.visual.*`, OpenAI's.
class ClipFeatureImageConditioner : public Conditioner {
 public:
  explicit ClipFeatureImageConditioner(const ClipFeatureImageOptions& options);
  // context [N, 1, projection_dim]; zeros for a condition without a picture, as diffusers guides.
  Conditioning encode(std::span<const Condition> conditions) const override;
  ConditionReads reads() const override { return {.picture = PictureUse::kLook}; }

 private:
  std::shared_ptr<ClipImage> clip_;
};

// The sizes of OpenAI's towers by their names. Throws kUsage for a name that is not known.
ClipTextOptions openai_text_sizes(const std::string& version);
ClipImageOptions openai_image_sizes(const std::string& version);

}  // namespace ldm
