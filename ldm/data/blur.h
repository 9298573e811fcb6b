#pragma once

#include <cstdint>
#include <vector>

#include "ldm/image/image.h"

namespace ldm {

// A picture of float32 [H, W, 3], 0..1, while it is worked on.
struct FloatImage {
  int64_t width = 0, height = 0;
  std::vector<float> pixels;
};

FloatImage to_floats(const Image& rgb);    // v / 255.
Image to_levels(const FloatImage& image);  // rint(255 clip(v, 0, 1)).
void clip_unit(FloatImage& image);         // Into 0..1.

// A square blur kernel [size, size] that sums to 1.
struct BlurKernel {
  int64_t size = 1;
  std::vector<double> weights{1.0};
};

// Gaussian of standard deviation `sigma` in pixels around the middle, which lies between pixels if size is
// even. A sigma too small for any weight gives the kernel that changes nothing. Throws kUsage unless size
// >= 1.
BlurKernel gaussian_kernel(int64_t size, double sigma);

// Gaussian with variances l1 along the direction theta (radians) and l2 across.
BlurKernel anisotropic_kernel(int64_t size, double theta, double l1, double l2);

// The kernel moved by (factor - 1) / 2 pixels up and left (linear interpolation), normalised: decimating by
// `factor` after it keeps the picture in place.
BlurKernel shift_kernel(const BlurKernel& kernel, int64_t factor);

// Convolution; outside, the picture goes on mirrored at its outermost pixels (c b | a b c), as scipy's
// "mirror". The middle of an even kernel is at size / 2.
FloatImage blur(const FloatImage& image, const BlurKernel& kernel);

}  // namespace ldm
