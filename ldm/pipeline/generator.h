#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "ldm/core/log.h"
#include "ldm/core/noise.h"
#include "ldm/core/progress.h"
#include "ldm/core/stop.h"
#include "ldm/diffusion/guidance.h"
#include "ldm/diffusion/samplers.h"
#include "ldm/image/image.h"
#include "ldm/model/latent_diffusion.h"

namespace ldm {

// What to draw. The one request type that the command line, evaluation and serving share.
struct GenerateRequest {
  std::string prompt;           // Empty: unconditional. Weights, schedules and AND: docs/prompts.md.
  std::string negative_prompt;  // Stands for "no condition" in guidance; empty: the empty caption.
  int64_t label = -1;           // For class-conditional models; -1: none.
  int64_t clip_skip = 0;        // CLIP: whose state is taken, 2 the last layer's but one; 0: the model's own.
  int64_t count = 1;            // Images; image k has seed + k.
  uint64_t seed = 0;
  std::string sampler = "ddim";         // See diffusion/samplers.h.
  SampleOptions sampling{.steps = 30};  // Its `scaling` is the model's business.
  GuidanceOptions guidance{.scale = 3.0};
  // Guided steps as fractions of all, instead of guidance.interval.
  std::optional<std::pair<double, double>> guided_steps;
  int64_t width = 0;  // Pixels; 0: the size that the model was trained at.
  int64_t height = 0;
  NoiseKind noise = NoiseKind::kCpu;
  // SDE samplers follow one Brownian path of the image's seed, whatever the number of steps.
  bool brownian = true;
  int64_t batch_size = 16;  // Most images drawn at once.
};

struct GeneratedImage {
  Image image;
  uint64_t seed = 0;
};

// Draws with one model. Image k depends on its seed alone, whatever the batch.
class Generator {
 public:
  explicit Generator(std::shared_ptr<const LatentDiffusion> model);

  // Throws kUsage for a request that fits no model (unknown sampler, steps < 1, a size that is no multiple of
  // the first stage's factor and the UNet's levels, a class for a text model or words for another). On a stop
  // request it returns the images that are finished.
  std::vector<GeneratedImage> generate(const GenerateRequest& request, const ProgressFn& progress = {},
                                       const StopToken& stop = {}, const LogFn& log = {}) const;

 private:
  std::shared_ptr<const LatentDiffusion> model_;
};

// Decoded pictures [N, 3, H, W] in [-1, 1] to 8-bit images, rounded to nearest.
std::vector<Image> to_images(const torch::Tensor& pictures);
// The other way: [N, 3, H, W] float in [-1, 1]. All images of one size, RGB.
torch::Tensor to_tensor(std::span<const Image> images);

}  // namespace ldm
