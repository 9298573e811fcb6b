#pragma once

#include <cstdint>
#include <span>

#include "ldm/image/image.h"

namespace ldm {

// Pictures of one size side by side, row by row, `padding` pixels of `background` around and between them
// (torchvision's make_grid). columns 0: the square root of the number of pictures, rounded up; never more
// columns than pictures. Result: RGB, (columns (w + padding) + padding) wide. Throws kUsage if there is none,
// or sizes differ.
Image make_grid(std::span<const Image> images, int64_t columns = 0, int64_t padding = 2,
                Rgb background = kBlack);

}  // namespace ldm
