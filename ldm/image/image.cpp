#include "ldm/image/image.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "ldm/core/error.h"

namespace ldm {
namespace {

// value * alpha / 255, rounded to nearest, without a division.
int scale_255(int value, int alpha) {
  const int t = value * alpha + 128;
  return ((t >> 8) + t) >> 8;
}

int64_t half_to_even(int64_t doubled) {
  return static_cast<int64_t>(std::nearbyint(static_cast<double>(doubled) / 2));
}

}  // namespace

Image make_image(int64_t width, int64_t height, int64_t channels, uint8_t value) {
  check(width >= 1 && height >= 1, "make_image: expected a size of at least 1x1, got ", width, "x", height);
  check(channels == 1 || channels == 3 || channels == 4, "make_image: expected 1, 3 or 4 channels, got ",
        channels);
  check(width <= INT64_MAX / 8 / height, "make_image: ", width, "x", height, " is too large");
  return {width, height, channels,
          std::vector<uint8_t>(static_cast<size_t>(width * height * channels), value)};
}

void check_image(const Image& image, const char* who) {
  const auto& [w, h, c, pixels] = image;
  check(w >= 1 && h >= 1, who, ": expected a picture of at least 1x1, got ", w, "x", h);
  check(c == 1 || c == 3 || c == 4, who, ": expected 1, 3 or 4 channels, got ", c);
  check(w <= INT64_MAX / 8 / h && pixels.size() == static_cast<size_t>(w * h * c), who, ": expected ", w, "x",
        h, "x", c, " bytes of pixels, got ", pixels.size());
}

Image to_rgb(const Image& image, Rgb background) {
  if (image.channels != 4) return drop_alpha(image);
  check_image(image, "to_rgb");
  Image out = make_image(image.width, image.height, 3);
  for (size_t i = 0, n = out.pixels.size() / 3; i < n; ++i) {
    const uint8_t* in = &image.pixels[4 * i];
    for (size_t c = 0; c < 3; ++c) {
      const int alpha = in[3];
      const int value = scale_255(in[c], alpha) + scale_255(background[c], 255 - alpha);
      out.pixels[3 * i + c] = static_cast<uint8_t>(std::min(value, 255));
    }
  }
  return out;
}

Image drop_alpha(const Image& image) {
  check_image(image, "drop_alpha");
  if (image.channels == 3) return image;
  Image out = make_image(image.width, image.height, 3);
  const auto step = static_cast<size_t>(image.channels);
  for (size_t i = 0, n = out.pixels.size() / 3; i < n; ++i) {
    for (size_t c = 0; c < 3; ++c) out.pixels[3 * i + c] = image.pixels[step * i + (step == 1 ? 0 : c)];
  }
  return out;
}

Image to_grey(const Image& image) {
  check_image(image, "to_grey");
  if (image.channels == 1) return image;
  Image out = make_image(image.width, image.height, 1);
  for (size_t i = 0; i < out.pixels.size(); ++i) {
    const uint8_t* in = &image.pixels[static_cast<size_t>(image.channels) * i];
    out.pixels[i] = static_cast<uint8_t>((in[0] * 19595 + in[1] * 38470 + in[2] * 7471 + 0x8000) >> 16);
  }
  return out;
}

Image crop(const Image& image, int64_t x, int64_t y, int64_t width, int64_t height) {
  check_image(image, "crop");
  check(x >= 0 && y >= 0 && width >= 1 && height >= 1 && width <= image.width && height <= image.height &&
            x <= image.width - width && y <= image.height - height,
        "crop: the part ", width, "x", height, " at (", x, ", ", y, ") does not lie inside ", image.width,
        "x", image.height);
  Image out = make_image(width, height, image.channels);
  for (int64_t r = 0; r < height; ++r) {
    std::memcpy(out.row(r), image.row(y + r) + x * image.channels, static_cast<size_t>(out.stride()));
  }
  return out;
}

Image centre_crop_square(const Image& image) {
  const int64_t side = std::min(image.width, image.height);
  return crop(image, (image.width - side) / 2, (image.height - side) / 2, side, side);
}

Image centre_crop(const Image& image, int64_t width, int64_t height) {
  check(width >= 1 && height >= 1 && width <= image.width && height <= image.height,
        "centre_crop: expected at most ", image.width, "x", image.height, ", got ", width, "x", height);
  return crop(image, half_to_even(image.width - width), half_to_even(image.height - height), width, height);
}

Image flip_horizontal(const Image& image) {
  check_image(image, "flip_horizontal");
  Image out = image;
  const auto c = static_cast<size_t>(image.channels);
  for (int64_t y = 0; y < image.height; ++y) {
    for (int64_t x = 0; x < image.width; ++x) {
      std::memcpy(out.row(y) + x * image.channels, image.row(y) + (image.width - 1 - x) * image.channels, c);
    }
  }
  return out;
}

}  // namespace ldm
