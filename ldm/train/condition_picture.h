#pragma once

#include <torch/types.h>

#include <cstdint>

#include "ldm/data/layout_tokens.h"
#include "ldm/image/image.h"

namespace ldm {

// Conditions as pictures to look at, for sample grids.

// A picture [3, H, W] in [-1, 1], as it is.
Image picture_condition(const torch::Tensor& picture);

// A one-hot map [K, H, W]: a colour for each label, black where there is none.
Image label_condition(const torch::Tensor& map);

// The boxes of a layout's tokens [L] on white, size x size, a colour for each category.
Image layout_condition(const torch::Tensor& tokens, const LayoutTokenizer& tokenizer, int64_t size);

// A colour of its own for each number >= 0: hues a golden angle apart, in three shades.
Rgb palette_colour(int64_t number);

}  // namespace ldm
