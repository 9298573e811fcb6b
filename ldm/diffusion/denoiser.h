#pragma once

#include <torch/types.h>

#include <functional>

namespace ldm {

// The seam between mathematics and networks, as in k-diffusion.
// D(x; sigma): an estimate of the clean latents for x = clean + sigma * noise. x [N, C, H, W], sigma [N].
using Denoiser = std::function<torch::Tensor(const torch::Tensor& x, const torch::Tensor& sigma)>;

// A network as it was trained: x is variance preserving, sqrt(a_t) clean + sqrt(1 - a_t) noise [N, C, H, W];
// t [N] may be fractional. What it returns (noise, clean or velocity) is the parameterisation's business.
using Network = std::function<torch::Tensor(const torch::Tensor& x, const torch::Tensor& t)>;

// Unit Gaussian noise shaped like its argument.
using NoiseFn = std::function<torch::Tensor(const torch::Tensor& like)>;

}  // namespace ldm
