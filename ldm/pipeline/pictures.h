#pragma once

#include <torch/types.h>

#include <span>
#include <vector>

#include "ldm/image/image.h"

namespace ldm {

// Decoded pictures [N, 3, H, W] in [-1, 1] to 8-bit images, rounded to nearest.
std::vector<Image> to_images(const torch::Tensor& pictures);
// The other way: [N, 3, H, W] float in [-1, 1]. All images of one size, RGB.
torch::Tensor to_tensor(std::span<const Image> images);

}  // namespace ldm
