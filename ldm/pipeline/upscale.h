#pragma once

#include <cstdint>

#include "ldm/image/image.h"
#include "ldm/model/latent_diffusion.h"
#include "ldm/pipeline/request.h"

namespace ldm {

// How many times larger than the small picture a super-resolution model draws: the first stage's factor where
// the small picture has the latents' size; where the first stage encodes it the model's upscale_factor, or 4.
int64_t upscale_factor(const LatentDiffusion& model);

// Super-resolution (Rombach et al. 2022, Sec. 4.4): fills request.given with a small picture of any size
// (over white) as the model reads it, either as it is, a pixel for a latent, or enlarged by a bicubic kernel
// for the first stage; where more is drawn than shown its edges go on. Sets the request's size, and crops of
// twice the trained size for larger pictures unless the request has some. Throws kUsage for a model that does
// not enlarge pictures, a request with a size of its own, and pictures that would come out larger than can be
// drawn.
void give_small_picture(const LatentDiffusion& model, const Image& picture, GenerateRequest& request);

}  // namespace ldm
