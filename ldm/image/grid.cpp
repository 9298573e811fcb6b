#include "ldm/image/grid.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "ldm/core/error.h"

namespace ldm {
namespace {

Image filled(int64_t width, int64_t height, Rgb colour) {
  Image image = make_image(width, height, 3);
  for (size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = colour[i % 3];
  return image;
}

}  // namespace

Image make_grid(std::span<const Image> images, int64_t columns, int64_t padding, Rgb background) {
  check(!images.empty(), "make_grid: expected at least one picture, got none");
  check(columns >= 0 && padding >= 0 && padding <= 4096,
        "make_grid: expected columns >= 0 and padding 0..4096, got ", columns, " and ", padding);
  const auto count = static_cast<int64_t>(images.size());
  if (columns == 0) columns = static_cast<int64_t>(std::ceil(std::sqrt(static_cast<double>(count))));
  columns = std::min(columns, count);
  const int64_t rows = (count + columns - 1) / columns;
  const int64_t w = images[0].width, h = images[0].height;

  Image grid = filled(columns * (w + padding) + padding, rows * (h + padding) + padding, background);
  for (int64_t i = 0; i < count; ++i) {
    const Image& image = images[static_cast<size_t>(i)];
    check(image.width == w && image.height == h, "make_grid: expected pictures of one size, got ", w, "x", h,
          " and ", image.width, "x", image.height);
    const Image rgb = to_rgb(image, background);
    const int64_t x = padding + i % columns * (w + padding), y = padding + i / columns * (h + padding);
    for (int64_t r = 0; r < h; ++r)
      std::memcpy(grid.row(y + r) + 3 * x, rgb.row(r), static_cast<size_t>(3 * w));
  }
  return grid;
}

}  // namespace ldm
