#pragma once

#include <memory>
#include <vector>

#include "ldm/core/log.h"
#include "ldm/core/progress.h"
#include "ldm/core/stop.h"
#include "ldm/model/latent_diffusion.h"
#include "ldm/pipeline/request.h"

namespace ldm {

// Draws with one model. Image k depends on its seed alone, whatever the batch.
class Generator {
 public:
  explicit Generator(std::shared_ptr<const LatentDiffusion> model);

  // Throws kUsage for a request that does not fit the model (see check_request.h). On a stop request it
  // returns the images that are finished.
  std::vector<GeneratedImage> generate(const GenerateRequest& request, const ProgressFn& progress = {},
                                       const StopToken& stop = {}, const LogFn& log = {}) const;

 private:
  std::shared_ptr<const LatentDiffusion> model_;
};

}  // namespace ldm
