#pragma once

#include <torch/types.h>

#include "ldm/image/image.h"

namespace ldm {

// [C, H, W] uint8.
torch::Tensor picture_tensor(const Image& image);

// [C, H, W] float32 in [-1, 1]: v / 127.5 - 1.
torch::Tensor unit_tensor(const Image& image);

// From [C, H, W] uint8 on the CPU, C 1, 3 or 4. Throws kUsage for another tensor.
Image picture_of(const torch::Tensor& planes);

}  // namespace ldm
