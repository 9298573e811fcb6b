#pragma once

#include <cstdint>

#include "ldm/core/random.h"
#include "ldm/image/image.h"

namespace ldm {

// The released super-resolution model's chain, and the full one of Zhang et al. 2021: stronger blurs (two of
// them), noise and JPEG.
enum class BsrganKind { kLight, kFull };

// Factor 4 halves the picture first with probability 1/4 and goes on with factor 2. Then come, in random
// order but downsampling before resizing to the final size: blurs, downsampling by U(1, 2 factor) or
// decimation, resizing, noise, JPEG (0.9); and JPEG once more. RGB in, RGB out, sides divided by `factor` and
// rounded down. Throws kUsage unless both sides are at least `factor`.
Image degrade_bsrgan(const Image& image, int64_t factor, BsrganKind kind, Random& random);

}  // namespace ldm
