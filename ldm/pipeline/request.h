#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ldm/core/noise.h"
#include "ldm/diffusion/guidance.h"
#include "ldm/diffusion/samplers.h"
#include "ldm/image/image.h"
#include "ldm/model/conditioner.h"
#include "ldm/pipeline/control_request.h"

namespace ldm {

// What to draw. The one request type that the command line, evaluation and serving share.
struct GenerateRequest {
  std::string prompt;           // Empty: unconditional. Weights, schedules and AND: docs/prompts.md.
  std::string negative_prompt;  // Stands for "no condition" in guidance; empty: the empty caption.
  int64_t label = -1;           // For class-conditional models; -1: none.
  int64_t clip_skip = 0;        // CLIP: whose state is taken, 2 the last layer's but one; 0: the model's own.
  int64_t count = 1;            // Images; image k has seed + k.
  uint64_t seed = 0;
  // What the model reads beside words and class (a layout's tokens, a label map, neighbours, a picture to be
  // enlarged) and what stands for "none of it" in guidance. Caption, label and reading are not looked at.
  Condition given, given_null;
  std::vector<ControlRequest> controls;  // Steer every picture, with the condition and without.
  std::string sampler = "ddim";          // See diffusion/samplers.h.
  SampleOptions sampling{.steps = 30};   // Its `scaling` is the model's business.
  GuidanceOptions guidance{.scale = 3.0};
  // Guided steps as fractions of all, instead of guidance.interval.
  std::optional<std::pair<double, double>> guided_steps;
  // Pixels, 1 to 4096; 0: the size that the model was trained at. Sizes that the networks cannot make are
  // drawn larger and cut.
  int64_t width = 0, height = 0;
  NoiseKind noise = NoiseKind::kCpu;
  // SDE samplers follow one Brownian path of the image's seed, whatever the number of steps.
  bool brownian = true;
  int64_t batch_size = 16;  // Most images drawn at once.
};

struct GeneratedImage {
  Image image;
  uint64_t seed = 0;
};

}  // namespace ldm
