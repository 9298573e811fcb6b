#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ldm/image/image.h"

namespace ldm {

struct WebpAnimationOptions {
  double frames_per_s = 12.0;  // 0.1 to 100; frames stand for whole milliseconds.
  int64_t loops = 0;           // How often it is shown; 0: for ever.
  double quality = 90.0;       // 0 to 100, as encode_webp; 100: lossless.
};

// An animated WebP of pictures of one size (by libwebpmux). Throws kUsage for no picture, different sizes, a
// side above 16383, and numbers out of range.
std::vector<std::byte> encode_webp_animation(std::span<const Image> frames,
                                             const WebpAnimationOptions& options = {});

}  // namespace ldm
