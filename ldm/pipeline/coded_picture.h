#pragma once

#include <torch/types.h>

#include <cstdint>

#include "ldm/image/image.h"
#include "ldm/nn/first_stage.h"

namespace ldm {

// Pictures of any size through a first stage, whose latents stand for squares of pixels: what is missing of
// the last ones is filled with the picture's edges, and cut again. Within the limits, see nn/first_stage.h.

// RGB, 1 pixel or more a side -> [1, z, ceil(height / f), ceil(width / f)] on the first stage's device.
torch::Tensor encode_picture(const FirstStage& stage, const Image& picture, const CodingLimits& limits = {});

// latents [1, z, h, w] -> [1, 3, height, width]. Throws kUsage where that is larger than f h x f w.
torch::Tensor decode_picture(const FirstStage& stage, const torch::Tensor& latents, int64_t width,
                             int64_t height, const CodingLimits& limits = {});

}  // namespace ldm
