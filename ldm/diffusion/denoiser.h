#pragma once

#include <torch/types.h>

#include <functional>

namespace ldm {

// The seam between mathematics and networks, as in k-diffusion.
// D(x; sigma): an estimate of the clean latents for x = clean + sigma * noise. x [N, C, H, W]; sigma [N] on
// the host, float64, so that a level can be looked at without waiting for a device. An infinite sigma stands
// for pure noise: x then is the unit noise itself (see pure_noise.h).
using Denoiser = std::function<torch::Tensor(const torch::Tensor& x, const torch::Tensor& sigma)>;

// What guidance made of two estimates, and the one without the condition: CFG++ samplers need both.
struct GuidedEstimate {
  torch::Tensor denoised, uncond;  // [N, C, H, W]
};
using GuidedDenoiser = std::function<GuidedEstimate(const torch::Tensor& x, const torch::Tensor& sigma)>;

// A network as it was trained: x is variance preserving, sqrt(a_t) clean + sqrt(1 - a_t) noise [N, C, H, W];
// t [N] may be fractional. What it returns (noise, clean or velocity) is the parameterisation's business.
using Network = std::function<torch::Tensor(const torch::Tensor& x, const torch::Tensor& t)>;

// Unit Gaussian noise shaped like its argument.
using NoiseFn = std::function<torch::Tensor(const torch::Tensor& like)>;

// Unit Gaussian noise for the way from one level to another: the increment of a Brownian path, so that finer
// steps follow the same path.
using PathNoiseFn = std::function<torch::Tensor(const torch::Tensor& like, double from, double to)>;

}  // namespace ldm
