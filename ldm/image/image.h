#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace ldm {

using Rgb = std::array<uint8_t, 3>;
inline constexpr Rgb kWhite{255, 255, 255};
inline constexpr Rgb kBlack{0, 0, 0};

// A picture in memory: rows from the top, interleaved [H, W, C], 0..255, channels 1 (grey), 3 (RGB) or 4
// (RGBA, straight alpha). Colours are taken as sRGB; profiles and gamma chunks are ignored.
struct Image {
  int64_t width = 0;
  int64_t height = 0;
  int64_t channels = 3;
  std::vector<uint8_t> pixels;

  bool empty() const { return pixels.empty(); }
  int64_t stride() const { return width * channels; }  // Bytes from one row to the next.
  uint8_t* row(int64_t y) { return pixels.data() + y * stride(); }
  const uint8_t* row(int64_t y) const { return pixels.data() + y * stride(); }
  bool operator==(const Image&) const = default;
};

// A picture with every byte set to `value`. Throws kUsage unless the sizes are >= 1 and channels is 1, 3
// or 4.
Image make_image(int64_t width, int64_t height, int64_t channels, uint8_t value = 0);

// Throws kUsage (message begins with `who`) unless sizes, channels and the number of bytes agree.
void check_image(const Image& image, const char* who);

// To three channels: grey is copied, RGBA is composed over `background` (rounded to nearest).
Image to_rgb(const Image& image, Rgb background = kWhite);

// To three channels, alpha thrown away instead of composed: what Pillow's convert("RGB") does, and so what
// the reference training pipelines see.
Image drop_alpha(const Image& image);

// To one channel with ITU-R 601 luma in 16-bit fixed point, equal to Pillow's convert("L"); alpha is dropped.
Image to_grey(const Image& image);

// The rectangle with its upper left corner at (x, y). Throws kUsage if it does not lie inside.
Image crop(const Image& image, int64_t x, int64_t y, int64_t width, int64_t height);

// The largest centred square, as the original's image sets cut it: offset (side - min(side)) / 2, rounded
// down.
Image centre_crop_square(const Image& image);

// The centred width x height part; torchvision's rounding of the offset (half to even). kUsage if it is too
// small.
Image centre_crop(const Image& image, int64_t width, int64_t height);

Image flip_horizontal(const Image& image);

}  // namespace ldm
