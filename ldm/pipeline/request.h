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
#include "ldm/pipeline/edit_request.h"
#include "ldm/pipeline/path_request.h"
#include "ldm/pipeline/steer_request.h"

namespace ldm {

// Small changes of one picture, as A1111 makes them: the seed's starting noise goes a part of the way to
// another seed's, and picture k keeps the request's seed and has `seed` + k here.
struct VariationRequest {
  uint64_t seed = 0;
  double strength = 0.0;  // 0: none; 1: the other seed's noise alone.
};

// Of a picture that is drawn, in pixels.
inline constexpr int64_t kLongestSide = 4096;
// Of one request.
inline constexpr int64_t kMostImages = 100000;

// Large pictures by overlapping crops, see model/tiles.h.
struct TileRequest {
  int64_t side = 0;      // Of the crops that the UNet sees, in latents; 0: it sees all at once.
  int64_t overlap = -1;  // Latents that neighbours share; -1: a quarter of the side.
};

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
  EditRequest edit;                      // A picture to begin with: image to image, inpainting, outpainting.
  std::vector<ControlRequest> controls;  // Steer every picture, with the condition and without.
  PathRequest path;  // The images lie on a way between prompts and seeds instead of having one prompt.
  VariationRequest variation;           // Start from a mixture of two seeds' noise.
  std::string sampler = "ddim";         // See diffusion/samplers.h.
  SampleOptions sampling{.steps = 30};  // Its `scaling` is the model's business.
  GuidanceOptions guidance{.scale = 3.0};
  // Guided steps as fractions of all, instead of guidance.interval.
  std::optional<std::pair<double, double>> guided_steps;
  // Pixels, 1 to 4096; 0: the size that the model was trained at, or of the picture to begin with. Sizes that
  // the networks cannot make are drawn larger and cut.
  int64_t width = 0, height = 0;
  NoiseKind noise = NoiseKind::kCpu;
  // SDE samplers follow one Brownian path of the image's seed, whatever the number of steps.
  bool brownian = true;
  SteerRequest steer;       // A classifier or a picture that leads the drawing by gradients.
  int64_t batch_size = 16;  // Most images drawn at once.
  // Bytes that may be used beside the weights, 0: any. Where that is little fewer images are drawn at once,
  // pictures are coded in bands (nn/first_stage.h), and the UNet sees crops if nothing else helps.
  int64_t memory = 0;
  TileRequest tile;
};

struct GeneratedImage {
  Image image;
  uint64_t seed = 0;
  std::optional<uint64_t> variation_seed;  // Where there is a variation.
};

}  // namespace ldm
