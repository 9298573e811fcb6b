#pragma once

#include <torch/types.h>

#include <filesystem>
#include <functional>

namespace ldm {

// A perceptual distance: x, y [N, C, H, W] in [-1, 1] -> [N, 1, 1, 1] (LPIPS, EfficientNet features).
using PerceptualFn = std::function<torch::Tensor(const torch::Tensor& x, const torch::Tensor& y)>;

// From a file of LPIPS (nn/lpips.h) or EfficientNet-Lite0 (nn/efficientnet.h), which its names tell apart.
// Its weights take no gradient. dropout: LPIPS drops half of its differences, as the original does in
// training. Throws kUsage for dropout with another network.
PerceptualFn open_perceptual(const std::filesystem::path& path, bool dropout, at::Device device = at::kCPU);

}  // namespace ldm
