#pragma once

#include <string>

#include "ldm/model/latent_diffusion.h"
#include "ldm/pipeline/request.h"

namespace ldm {

// Throws kUsage for a request that this model cannot draw: counts, steps and sizes out of range, conditions
// that it does not read or lacks, guidance without a null class, a mask without a picture (see check_edit).
void check_request(const LatentDiffusion& model, const GenerateRequest& request);

// What the model has to be told, for messages: "words and a picture and a mask".
std::string taken_by(const LatentDiffusion& model);

}  // namespace ldm
