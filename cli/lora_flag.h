#pragma once

#include <string>
#include <vector>

#include "ldm/core/log.h"
#include "ldm/model/latent_diffusion.h"

namespace ldm::cli {

// Applies each "FILE" or "FILE:STRENGTH" (1 without) to the model, in order, and says what had no place in
// it. Throws kUsage for a strength that is no number; kFormat for a file that does not fit at all.
void apply_loras(LatentDiffusion& model, const std::vector<std::string>& flags, const LogFn& log);

}  // namespace ldm::cli
