#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ldm/core/log.h"
#include "ldm/core/noise.h"
#include "ldm/core/progress.h"
#include "ldm/core/stop.h"
#include "ldm/image/image.h"
#include "ldm/model/latent_diffusion.h"

namespace ldm {

// What to draw. The one request type that the command line, evaluation and serving share.
struct GenerateRequest {
  std::string prompt;           // Empty: unconditional.
  std::string negative_prompt;  // Stands for "no condition" in guidance; empty: the empty caption.
  int64_t label = -1;           // For class-conditional models; -1: none.
  int64_t count = 1;            // Images; image k has seed + k.
  uint64_t seed = 0;
  int64_t steps = 30;
  std::string sampler = "ddim";  // See diffusion/samplers.h.
  double guidance = 3.0;         // Classifier-free guidance scale; 1: none.
  std::optional<double> eta;     // Share of fresh noise in each step; empty: the sampler's own.
  std::string spacing;           // See diffusion/spacing.h; empty: what fits sampler and model.
  int64_t width = 0;             // Pixels; 0: the size that the model was trained at.
  int64_t height = 0;
  NoiseKind noise = NoiseKind::kCpu;
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
