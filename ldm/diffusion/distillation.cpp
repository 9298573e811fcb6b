#include "ldm/diffusion/distillation.h"

#include <ATen/ATen.h>

#include "ldm/core/error.h"
#include "ldm/diffusion/training.h"

namespace ldm {

BoundaryScaling consistency_scaling(const torch::Tensor& sigma, double sigma_data, double sigma_min) {
  const double variance = sigma_data * sigma_data;
  const auto above = sigma - sigma_min;
  return {.c_skip = variance / (above.square() + variance),
          .c_out = sigma_data * above / (variance + sigma.square()).sqrt()};
}

BoundaryScaling lcm_scaling(const torch::Tensor& t, double sigma_data, double timestep_scaling) {
  const double variance = sigma_data * sigma_data;
  const auto scaled = timestep_scaling * t;
  return {.c_skip = variance / (scaled.square() + variance),
          .c_out = scaled / (scaled.square() + variance).sqrt()};
}

std::vector<int64_t> lcm_timesteps(int64_t count, int64_t timesteps) {
  check(count >= 1 && count <= timesteps, "lcm_timesteps: expected 1..", timesteps, " steps, got ", count);
  std::vector<int64_t> out;
  for (int64_t k = 1; k <= count; ++k) out.push_back(k * (timesteps / count) - 1);
  return out;
}

torch::Tensor lcm_guided(const torch::Tensor& conditional, const torch::Tensor& unconditional, double w) {
  return conditional + w * (conditional - unconditional);
}

torch::Tensor ddim_point(const torch::Tensor& x0, const torch::Tensor& eps, const torch::Tensor& alpha,
                         const torch::Tensor& sigma) {
  return alpha * x0 + sigma * eps;
}

torch::Tensor lcm_ddim_target(const NoiseSchedule& schedule, const torch::Tensor& x0,
                              const torch::Tensor& eps, const torch::Tensor& t, int64_t count) {
  check(count >= 1 && count <= schedule.timesteps(), "lcm_ddim_target: expected 1..", schedule.timesteps(),
        " steps, got ", count);
  const auto earlier = (t - schedule.timesteps() / count).clamp_min(0);
  const auto ac = table_at(schedule.alphas_cumprod, earlier, x0);
  return ddim_point(x0, eps, ac.sqrt(), (1 - ac).sqrt());
}

torch::Tensor progressive_target(const torch::Tensor& z, const torch::Tensor& z2, double alpha, double sigma,
                                 double alpha2, double sigma2) {
  check(sigma > 0, "progressive_target: expected sigma > 0, got ", sigma);
  const double q = sigma2 / sigma;
  check(alpha2 != q * alpha, "progressive_target: the two levels are one");
  return (z2 - q * z) / (alpha2 - q * alpha);
}

}  // namespace ldm
