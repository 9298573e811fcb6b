#pragma once

#include <torch/types.h>

#include <functional>

#include "ldm/diffusion/denoiser.h"

namespace ldm {

// Guidance by gradients: classifiers and pictures. They need autograd, so the network may not run in
// inference mode. Pure noise (an infinite sigma) says nothing yet and is not guided.

// log p(y | x) of each sample [N], for x = clean + sigma noise and sigma [N] on the host. A classifier of
// noisy latents reads x / sqrt(1 + sigma^2) at the timestep of sigma.
using LogProb = std::function<torch::Tensor(const torch::Tensor& x, const torch::Tensor& sigma)>;

// Its value and its gradient by x.
struct LogProbGradient {
  torch::Tensor log_prob, gradient;
};
LogProbGradient log_prob_gradient(const LogProb& log_prob, const torch::Tensor& x,
                                  const torch::Tensor& sigma);

// Classifier guidance (Dhariwal & Nichol 2021, Algorithm 2): eps - sqrt(1 - a) scale grad_{x_t} log p(y |
// x_t), which here is D + scale sigma^2 grad_x log p(y | x).
Denoiser classifier_guided_denoiser(Denoiser denoise, LogProb log_prob, double scale);

// The same for ancestral sampling (Algorithm 1): mean + scale variance grad. gradient is by x_t.
torch::Tensor classifier_guided_mean(const torch::Tensor& mean, const torch::Tensor& gradient,
                                     const torch::Tensor& variance, double scale);

// Post-hoc image guidance (Rombach et al. 2022, Appendix C): an unconditional model is led to pictures y that
// resemble a given one, log p(y | x) = -distance(y, decode(D(x))), the gradient going through decoder and
// model. `decode` turns clean latents into pictures, `distance` compares them with the given one sample by
// sample [N].
struct ImageGuide {
  std::function<torch::Tensor(const torch::Tensor& latents)> decode;
  std::function<torch::Tensor(const torch::Tensor& pictures)> distance;
};
Denoiser image_guided_denoiser(Denoiser denoise, ImageGuide guide, double scale);

// The Gaussian guide with unit variance: half the squared distance to `target` after `transform`, the
// degradation that made the target (downsampling, say). An LPIPS guide has that network's distance in its
// place.
std::function<torch::Tensor(const torch::Tensor&)> gaussian_distance(
    torch::Tensor target, std::function<torch::Tensor(const torch::Tensor&)> transform);

}  // namespace ldm
