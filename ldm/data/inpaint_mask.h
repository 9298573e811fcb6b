#pragma once

#include <cstdint>
#include <string>

#include "ldm/core/random.h"
#include "ldm/image/image.h"

namespace ldm {

// Random masks for training an inpainting model, as LaMa draws them (Suvorov et al. 2022): strokes of a brush
// that turns at random, or boxes. Lengths are pixels of a 512-pixel picture and scale with the picture's
// shorter side.
struct MaskOptions {
  std::string strokes =
      "mixed";  // "thin", "medium", "thick", "boxes", or "mixed": one of the four each time.
  double box_probability =
      0.3;                // Of boxes instead of strokes, relative to 1 for strokes ("medium" and "thick").
  double max_area = 1.0;  // A mask that covers more of the picture is drawn again, 20 times at most.

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("strokes", strokes, "thin, medium, thick, boxes or mixed");
    visit("box_probability", box_probability, "how often boxes stand for strokes, relative to 1 for strokes");
    visit("max_area", max_area, "largest part of the picture that is masked");
  }
};

// Throws kUsage for another kind of strokes and for probabilities or areas out of range.
void check_mask_options(const MaskOptions& options);

// One channel, 255 where the picture is to be drawn anew, 0 where it is kept; at least one pixel of 255.
Image draw_mask(int64_t width, int64_t height, const MaskOptions& options, Random random);

// The picture with black (-1 in [-1, 1]) under the mask, which counts from 128 on. Throws kUsage if sizes
// differ or the mask has more than one channel.
Image apply_mask(const Image& image, const Image& mask);

}  // namespace ldm
