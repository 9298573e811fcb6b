#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "ldm/core/log.h"
#include "ldm/core/progress.h"
#include "ldm/core/stop.h"
#include "ldm/model/latent_diffusion.h"
#include "ldm/pipeline/request.h"

namespace ldm {

// Who listens while pictures are drawn; empty functions hear nothing. All are called from the thread that
// draws.
struct DrawHooks {
  ProgressFn progress = {};
  LogFn log = {};
  StopToken stop = {};
  // Pictures first, first + 1, ... of the request, a batch at a time, as soon as they are finished.
  std::function<void(int64_t first, std::span<const GeneratedImage>)> finished = {};
  // After each step what the batch's clean latents [N, C, h, w] are thought to be.
  std::function<void(const torch::Tensor& latents)> estimate = {};
};

// Draws with one model. Image k depends on its seed alone, whatever the batch.
class Generator {
 public:
  explicit Generator(std::shared_ptr<const LatentDiffusion> model);

  // Throws kUsage for a request that does not fit the model (see check_request.h). On a stop request it
  // returns the images that are finished.
  std::vector<GeneratedImage> generate(const GenerateRequest& request, const DrawHooks& hooks = {}) const;

 private:
  std::shared_ptr<const LatentDiffusion> model_;
};

}  // namespace ldm
