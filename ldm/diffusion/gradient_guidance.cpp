#include "ldm/diffusion/gradient_guidance.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include <utility>

#include "ldm/core/error.h"
#include "ldm/diffusion/parameterization.h"

namespace ldm {

LogProbGradient log_prob_gradient(const LogProb& log_prob, const torch::Tensor& x,
                                  const torch::Tensor& sigma) {
  check(!c10::InferenceMode::is_enabled(),
        "guidance: gradients need autograd, which inference mode switches off");
  at::AutoGradMode with_grad(true);
  const auto leaf = x.detach().clone().requires_grad_(true);
  const auto value = log_prob(leaf, sigma);
  check(value.dim() == 1 && value.size(0) == x.size(0),
        "guidance: expected one log probability a sample, got ", value.sizes());
  const auto gradient = torch::autograd::grad({value.sum()}, {leaf})[0];
  return {value.detach(), gradient.detach()};
}

Denoiser classifier_guided_denoiser(Denoiser denoise, LogProb log_prob, double scale) {
  return [denoise = std::move(denoise), log_prob = std::move(log_prob), scale](const torch::Tensor& x,
                                                                               const torch::Tensor& sigma) {
    if (sigma.isinf().any().item<bool>()) return denoise(x, sigma);
    const auto gradient = log_prob_gradient(log_prob, x, sigma).gradient;
    return denoise(x, sigma) + scale * per_sample(sigma.square(), x) * gradient;
  };
}

torch::Tensor classifier_guided_mean(const torch::Tensor& mean, const torch::Tensor& gradient,
                                     const torch::Tensor& variance, double scale) {
  return mean + scale * per_sample(variance, mean) * gradient;
}

Denoiser image_guided_denoiser(Denoiser denoise, ImageGuide guide, double scale) {
  return [denoise = std::move(denoise), guide = std::move(guide), scale](const torch::Tensor& x,
                                                                         const torch::Tensor& sigma) {
    if (sigma.isinf().any().item<bool>()) return denoise(x, sigma);
    torch::Tensor denoised;
    const LogProb resemblance = [&](const torch::Tensor& at, const torch::Tensor& level) {
      const auto estimate = denoise(at, level);
      denoised = estimate.detach();
      return -guide.distance(guide.decode(estimate));
    };
    const auto gradient = log_prob_gradient(resemblance, x, sigma).gradient;
    return denoised + scale * per_sample(sigma.square(), x) * gradient;
  };
}

std::function<torch::Tensor(const torch::Tensor&)> gaussian_distance(
    torch::Tensor target, std::function<torch::Tensor(const torch::Tensor&)> transform) {
  return [target = std::move(target), transform = std::move(transform)](const torch::Tensor& pictures) {
    return (target - transform(pictures)).square().flatten(1).sum(1) / 2;
  };
}

}  // namespace ldm
