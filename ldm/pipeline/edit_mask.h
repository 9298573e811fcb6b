#pragma once

#include <torch/types.h>

#include <cstdint>

#include "ldm/image/image.h"

namespace ldm {

// Masks of edits: grey images, 255 where a picture is drawn anew, 0 where it is kept.

// From a picture of any kind: its brightness over black. Values within 3% of black or white become that, for
// masks saved as JPEG.
Image mask_of(const Image& picture);
// Whether nothing is drawn anew.
bool keeps_everything(const Image& mask);
// From a picture's transparency: what cannot be seen is drawn anew. Empty for an opaque picture.
Image transparency_mask(const Image& picture);

// The mask fading out over `radius` pixels beyond its edge (values of 128 and more), linearly in the distance
// to it.
Image feathered(const Image& mask, int64_t radius);

// [1, 1, height, width] float: 1 for latents with any pixel that is drawn anew, 0 for those that are kept. A
// latent is factor x factor pixels; beyond the mask's right and bottom its last pixels count.
torch::Tensor redrawn_latents(const Image& mask, int64_t width, int64_t height, int64_t factor);

// [1, height, width] float in {0, 1}: 1 where the mask draws anew at all; beyond it as above.
torch::Tensor redrawn_pixels(const Image& mask, int64_t width, int64_t height);

// Puts the original back where the mask keeps it: bytes under 0 are the original's own. All of one size,
// `drawn` and `original` RGB.
void put_back(Image& drawn, const Image& original, const Image& mask);

}  // namespace ldm
