#include "ldm/diffusion/pure_noise.h"

#include <ATen/core/grad_mode.h>

#include <limits>

namespace ldm {

torch::Tensor step_from_pure_noise(const Denoiser& denoise, const torch::Tensor& noise, double to,
                                   const SamplerRun& run, double eta) {
  at::NoGradGuard no_grad;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const auto denoised = denoise_at(denoise, noise, kInfinity);
  const auto [down, up] = ancestral_step(kInfinity, to, eta);
  const auto x = denoised + down * noise;
  return eta > 0 ? x + run.draw("step_from_pure_noise", x) * up : x;
}

}  // namespace ldm
