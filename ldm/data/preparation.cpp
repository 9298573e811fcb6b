#include "ldm/data/preparation.h"

#include <algorithm>
#include <cmath>

#include "ldm/core/error.h"

namespace ldm {

Image resize_smallest_side(const Image& image, int64_t size, CvFilter filter) {
  check(size >= 1, "resize_smallest_side: expected a size >= 1, got ", size);
  const int64_t shorter = std::min(image.width, image.height);
  if (shorter == size) return image;
  const double scale = static_cast<double>(size) / static_cast<double>(shorter);
  const auto scaled = [&](int64_t side) {
    return static_cast<int64_t>(std::nearbyint(static_cast<double>(side) * scale));
  };
  return resize_cv(image, scaled(image.width), scaled(image.height), filter);
}

Image crop_centre(const Image& image, int64_t size) {
  return crop(image, (image.width - size) / 2, (image.height - size) / 2, size, size);
}

Image prepare_lsun(const Image& image, int64_t size, Filter filter) {
  return resize(centre_crop_square(image), size, size, filter);
}

Image prepare_taming(const Image& image, int64_t size) {
  return crop_centre(resize_smallest_side(image, size, CvFilter::kLinear), size);
}

Image resize_to_multiple(const Image& image, int64_t multiple) {
  check(multiple >= 1 && image.width >= multiple && image.height >= multiple,
        "resize_to_multiple: expected a picture of at least ", multiple, "x", multiple, ", got ", image.width,
        "x", image.height);
  return resize(image, image.width - image.width % multiple, image.height - image.height % multiple,
                Filter::kLanczos);
}

void check_crop_options(const SquareCropOptions& options) {
  check(options.min_crop > 0 && options.min_crop <= options.max_crop && options.max_crop <= 1,
        "draw_square_crop: expected 0 < min_crop <= max_crop <= 1, got ", options.min_crop, " and ",
        options.max_crop);
}

SquareCrop draw_square_crop(int64_t width, int64_t height, const SquareCropOptions& options, Random& random) {
  const int64_t shorter = std::min(width, height);
  const double factor = options.min_crop + (options.max_crop - options.min_crop) * random.uniform();
  const int64_t side = std::max<int64_t>(1, static_cast<int64_t>(static_cast<double>(shorter) * factor));
  if (!options.random) return {(width - side) / 2, (height - side) / 2, side};
  const int64_t y = random.below(height - side + 1), x = random.below(width - side + 1);
  return {x, y, side};
}

Image prepare_crop(const Image& image, const SquareCrop& square, int64_t size) {
  return resize_smallest_side(crop(image, square.x, square.y, square.side, square.side), size,
                              CvFilter::kArea);
}

}  // namespace ldm
