#pragma once

#include <cstdint>

namespace ldm {

// What a decoder accepts. Checked against the file's header before memory is taken.
struct ImageLimits {
  int64_t max_bytes = int64_t{256} << 20;  // Encoded size.
  int64_t max_pixels = 89'478'485;         // Width times height (a quarter of a GiB as RGB), as Pillow warns.
  int64_t max_side = 16'384;               // Width or height.
};

// Throws kFormat if a file of so many bytes is above the limit.
void check_encoded_size(int64_t bytes, const ImageLimits& limits);

// Throws kFormat (message begins with `who`) if width or height is below 1 or above the limits.
void check_image_size(int64_t width, int64_t height, const ImageLimits& limits, const char* who);

}  // namespace ldm
