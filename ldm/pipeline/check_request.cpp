#include "ldm/pipeline/check_request.h"

#include <string>

#include "ldm/core/error.h"

namespace ldm {
namespace {

void check_condition(const Conditioner* conditioner, const GenerateRequest& r) {
  const bool words = !r.prompt.empty() || !r.negative_prompt.empty();
  if (conditioner == nullptr) {
    check(!words && r.label < 0, "generate: this model draws without a prompt (it is unconditional)");
    return;
  }
  const auto last = std::to_string(conditioner->classes() - 1);
  const bool by_class = conditioner->classes() > 0;
  check(!words || conditioner->takes_words(), "generate: this model takes ",
        by_class ? "a class in 0.." + last : "pictures", ", not words");
  check(by_class || r.label < 0, "generate: this model is told in ",
        conditioner->takes_words() ? "words" : "pictures", " what to draw, not by a class; got class ",
        r.label);
  if (!by_class) return;
  check(r.label < conditioner->classes(), "generate: expected a class in 0..", last, ", got ", r.label);
  check(r.label >= 0 || conditioner->has_null(), "generate: this model needs a class in 0..", last);
  check(r.guidance.scale == 1.0 || conditioner->has_null(),
        "generate: this model was trained without a null class, so it cannot be guided; expected a "
        "guidance of 1, got ",
        r.guidance.scale);
}

}  // namespace

void check_request(const LatentDiffusion& model, const GenerateRequest& r) {
  check(r.count >= 1 && r.count <= 100000, "generate: expected 1..100000 images, got ", r.count);
  const auto steps = r.sampling.steps;
  check(steps >= 1 && steps <= model.schedule().timesteps(), "generate: expected 1..",
        model.schedule().timesteps(), " steps, got ", steps);
  check(r.batch_size >= 1, "generate: expected a positive batch size, got ", r.batch_size);
  for (const auto side : {r.width, r.height})
    check(side >= 0 && side <= 4096, "generate: expected a width and height of 1..4096 pixels, got ", side);
  check(r.clip_skip >= 0, "generate: expected a clip-skip of 1 (none) or more, got ", r.clip_skip);
  check_condition(model.conditioner(), r);
}

}  // namespace ldm
