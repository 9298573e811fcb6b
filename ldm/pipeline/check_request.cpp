#include "ldm/pipeline/check_request.h"

#include <algorithm>
#include <string>
#include <vector>

#include "ldm/core/error.h"
#include "ldm/core/names.h"
#include "ldm/pipeline/edit_canvas.h"
#include "ldm/pipeline/plan_sampling.h"

namespace ldm {
namespace {

// Of a picture as a condition: what it is, and who asks for it.
struct PictureKind {
  PictureUse use;
  const char *name, *option;
};
constexpr PictureKind kPictureKinds[] = {
    {PictureUse::kLowResolution, "a small picture to enlarge", "--upscale"},
    {PictureUse::kLabelMap, "a label map", "--segmentation"},
    {PictureUse::kReference, "a picture to enlarge", "--upscale"},
    {PictureUse::kInpaint, "a picture and a mask", "--init-image"},
    {PictureUse::kLook, "a picture to vary", "--variation-of"},
};

const PictureKind* kind_of(PictureUse use) {
  const auto* found = std::find_if(std::begin(kPictureKinds), std::end(kPictureKinds),
                                   [&](const PictureKind& kind) { return kind.use == use; });
  return found == std::end(kPictureKinds) ? nullptr : found;
}

void check_words_and_class(const LatentDiffusion& model, const GenerateRequest& r) {
  const auto* conditioner = model.conditioner();
  const bool on_the_way = std::any_of(r.path.places.begin(), r.path.places.end(),
                                      [](const PathPlace& place) { return !place.prompt.empty(); });
  const bool words = !r.prompt.empty() || !r.negative_prompt.empty() || on_the_way;
  if (conditioner == nullptr) {
    check(!words && r.label < 0, "generate: this model draws without a prompt (it is unconditional)");
    return;
  }
  const auto last = std::to_string(conditioner->classes() - 1);
  const bool by_class = conditioner->classes() > 0;
  check(!words || conditioner->takes_words(), "generate: this model takes ", taken_by(model), ", not words");
  check(by_class || r.label < 0, "generate: this model takes ", taken_by(model), ", not a class; got class ",
        r.label);
  if (!by_class) return;
  check(r.label < conditioner->classes(), "generate: expected a class in 0..", last, ", got ", r.label);
  check(r.label >= 0 || conditioner->has_null(), "generate: this model needs a class in 0..", last);
  check(r.guidance.scale == 1.0 || conditioner->has_null(),
        "generate: this model was trained without a null class, so it cannot be guided; expected a "
        "guidance of 1, got ",
        r.guidance.scale);
}

void check_given_picture(const LatentDiffusion& model, const ConditionReads& reads,
                         const torch::Tensor& picture) {
  if (reads.picture == PictureUse::kInpaint) return;  // It comes with the request's edit.
  const auto* kind = kind_of(reads.picture);
  if (kind == nullptr) {
    check(!picture.defined(), "generate: this model takes ", taken_by(model), ", not a picture or map");
    return;
  }
  const bool may_lack = kind->use == PictureUse::kLook;  // Then nothing is varied.
  check(picture.defined() || may_lack, "generate: this model draws from ", kind->name, "; expected one (",
        kind->option, ")");
  if (!picture.defined()) return;
  check(picture.dim() == 3 && picture.size(0) == reads.channels, "generate: this model takes ", kind->name,
        " of ", reads.channels, " channels, got ", picture.sizes());
}

void check_given(const LatentDiffusion& model, const Condition& given) {
  const auto reads = model.reads();
  check_given_picture(model, reads, given.picture);
  check(reads.tokens > 0 || !given.tokens.defined() ||
            (model.conditioner() != nullptr && model.conditioner()->takes_words()),
        "generate: this model takes ", taken_by(model), ", not a layout");
  if (reads.tokens > 0) {
    check(given.tokens.defined(), "generate: this model draws from a layout; expected one (--layout)");
    check(given.tokens.dim() == 1 && given.tokens.size(0) == reads.tokens, "generate: expected a layout of ",
          reads.tokens, " tokens, got ", given.tokens.sizes());
  }
  const auto& embeddings = given.embeddings;
  check(reads.embeddings > 0 || !embeddings.defined(), "generate: this model takes ", taken_by(model),
        ", not embeddings of neighbours");
  check(!embeddings.defined() || (embeddings.dim() == 2 && embeddings.size(1) == reads.embeddings),
        "generate: this model takes embeddings of ", reads.embeddings, " numbers, [k, ", reads.embeddings,
        "], got ", embeddings.defined() ? embeddings.sizes() : at::IntArrayRef());
  check(!reads.vector || given.vector.defined(), "generate: this model draws from a vector; expected one");
}

void check_size(const GenerateRequest& r) {
  for (const auto side : {r.width, r.height})
    check(side >= 0 && side <= kLongestSide, "generate: expected a width and height of 1..", kLongestSide,
          " pixels, got ", side);
  const auto [width, height] = asked_size(r);
  check(std::max(width, height) <= kLongestSide, "generate: the picture to begin with is ", width, "x",
        height, " pixels, at most ", kLongestSide,
        " a side are drawn; hint: --size says what it is resized to");
}

}  // namespace

std::string taken_by(const LatentDiffusion& model) {
  const auto* conditioner = model.conditioner();
  if (conditioner == nullptr) return "nothing (it is unconditional)";
  const auto reads = model.reads();
  std::vector<std::string> parts;
  if (conditioner->takes_words()) parts.emplace_back("words");
  if (conditioner->classes() > 0)
    parts.push_back("a class in 0.." + std::to_string(conditioner->classes() - 1));
  if (reads.tokens > 0) parts.emplace_back("a layout");
  if (const auto* kind = kind_of(reads.picture)) parts.emplace_back(kind->name);
  if (reads.embeddings > 0) parts.emplace_back("embeddings of neighbours");
  if (reads.vector) parts.emplace_back("a vector");
  return join_names(parts, " and ");
}

void check_request(const LatentDiffusion& model, const GenerateRequest& r) {
  check(r.count >= 1 && r.count <= kMostImages, "generate: expected 1..", kMostImages, " images, got ",
        r.count);
  const auto steps = r.sampling.steps;
  check(steps >= 1 && steps <= model.schedule().timesteps(), "generate: expected 1..",
        model.schedule().timesteps(), " steps, got ", steps);
  check(r.path.places.size() != 1 && (r.path.empty() || r.count >= 2),
        "interpolate: expected two places and two frames or more, got ", r.path.places.size(), " and ",
        r.count);
  check(r.batch_size >= 1, "generate: expected a positive batch size, got ", r.batch_size);
  check(r.clip_skip >= 0, "generate: expected a clip-skip of 1 (none) or more, or 0 (the model's own), got ",
        r.clip_skip);
  const double variation = r.variation.strength;
  check(variation >= 0 && variation <= 1, "generate: expected a subseed strength of 0 to 1, got ", variation);
  check_edit(r.edit);
  check_size(r);
  check_words_and_class(model, r);
  check_given(model, r.given);
}

}  // namespace ldm
