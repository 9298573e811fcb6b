#include "ldm/diffusion/guidance.h"

#include <ATen/ATen.h>

#include <utility>

namespace ldm {
namespace {

using Function = std::function<torch::Tensor(const torch::Tensor&, const torch::Tensor&)>;

Function guided(Function both, Function cond, double scale) {
  if (scale == 1.0) return cond;
  return [both = std::move(both), scale](const torch::Tensor& x, const torch::Tensor& level) {
    const auto halves = both(at::cat({x, x}), at::cat({level, level})).chunk(2);
    return combine_guidance(halves[0], halves[1], scale);
  };
}

}  // namespace

torch::Tensor combine_guidance(const torch::Tensor& uncond, const torch::Tensor& cond, double scale) {
  return uncond + scale * (cond - uncond);
}

Network guided_network(Network both, Network cond, double scale) {
  return guided(std::move(both), std::move(cond), scale);
}

Denoiser guided_denoiser(Denoiser both, Denoiser cond, double scale) {
  return guided(std::move(both), std::move(cond), scale);
}

}  // namespace ldm
