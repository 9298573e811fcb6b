#pragma once

#include "ldm/model/latent_diffusion.h"
#include "ldm/pipeline/request.h"

namespace ldm {

// Throws kUsage for a request that this model cannot draw: counts, steps and sizes out of range, words for a
// model of classes, a class for a model of words, guidance without a null condition.
void check_request(const LatentDiffusion& model, const GenerateRequest& request);

}  // namespace ldm
