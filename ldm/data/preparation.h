#pragma once

#include <cstdint>

#include "ldm/core/random.h"
#include "ldm/image/image.h"
#include "ldm/image/resample.h"
#include "ldm/image/resize_cv.h"

namespace ldm {

// How the original's image sets make training pictures of files, one function a rule.

// Resizes so that the shorter side becomes `size`, the longer one round(side * size / shorter), half to even
// (albumentations' SmallestMaxSize). Throws kUsage unless size >= 1.
Image resize_smallest_side(const Image& image, int64_t size, CvFilter filter);

// The centred size x size part, offsets rounded down (albumentations' CenterCrop). Throws kUsage if it does
// not fit.
Image crop_centre(const Image& image, int64_t size);

// LSUN: the largest centred square, resized with Pillow's filter.
Image prepare_lsun(const Image& image, int64_t size, Filter filter = Filter::kBicubic);

// taming-transformers' ImagePaths: the shorter side to `size` by OpenCV's linear kernel (no antialiasing),
// then the centre.
Image prepare_taming(const Image& image, int64_t size);

// scripts/img2img.py of Stable Diffusion: both sides down to multiples of `multiple`, Lanczos. Throws kUsage
// if a side is below it.
Image resize_to_multiple(const Image& image, int64_t multiple);

// A square inside a picture, in pixels.
struct SquareCrop {
  int64_t x = 0, y = 0, side = 1;
  bool operator==(const SquareCrop&) const = default;
};

// ImageNetSR's crops: the side is int(U(min_crop, max_crop) * shorter side), at least 1; at a random place or
// in the middle.
struct SquareCropOptions {
  double min_crop = 0.5;
  double max_crop = 1.0;
  bool random = true;

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("min_crop", min_crop, "smallest side of a crop, relative to the picture's shorter side");
    visit("max_crop", max_crop, "largest side of a crop");
    visit("random_crop", random, "crop at a random place instead of the middle");
  }
};

// Throws kUsage unless 0 < min_crop <= max_crop <= 1.
void check_crop_options(const SquareCropOptions& options);
SquareCrop draw_square_crop(int64_t width, int64_t height, const SquareCropOptions& options, Random& random);

// The crop, resized to `size` by OpenCV's area kernel: the high-resolution picture of ImageNetSR.
Image prepare_crop(const Image& image, const SquareCrop& crop, int64_t size);

}  // namespace ldm
