#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "ldm/diffusion/schedule.h"

namespace ldm {

// What students of faster sampling are trained towards. Levels are given as alpha and sigma of z = alpha
// clean + sigma noise, numbers or tensors that broadcast against z.

// How a consistency model is forced to be the identity at the end of the path: f(x) = c_skip x + c_out F(x).
struct BoundaryScaling {
  torch::Tensor c_skip, c_out;
};
// Song et al. 2023, App. C, at noise levels sigma >= sigma_min.
BoundaryScaling consistency_scaling(const torch::Tensor& sigma, double sigma_data = 0.5,
                                    double sigma_min = 0.002);
// Latent consistency models (Luo et al. 2023), at timesteps t, times which timestep_scaling is their "sigma".
BoundaryScaling lcm_scaling(const torch::Tensor& t, double sigma_data = 0.5, double timestep_scaling = 10.0);

// The timesteps of the teacher's `count` DDIM steps, ascending: k T / count - 1. Throws kUsage unless 1 <=
// count <= T.
std::vector<int64_t> lcm_timesteps(int64_t count, int64_t timesteps);

// c + w (c - u): guidance in the convention of latent consistency models, w = scale - 1.
torch::Tensor lcm_guided(const torch::Tensor& conditional, const torch::Tensor& unconditional, double w);

// One deterministic DDIM step (Song et al. 2021a, Eq. 12 with eta 0) along x0 and eps.
torch::Tensor ddim_point(const torch::Tensor& x0, const torch::Tensor& eps, const torch::Tensor& alpha,
                         const torch::Tensor& sigma);

// The teacher's DDIM step of a latent consistency model from timesteps t [N] (int64) to t - T / count, or 0
// where that is negative. x0 and eps (guided) [N, ...].
torch::Tensor lcm_ddim_target(const NoiseSchedule& schedule, const torch::Tensor& x0,
                              const torch::Tensor& eps, const torch::Tensor& t, int64_t count);

// Progressive distillation (Salimans and Ho 2022, Algorithm 2): the clean latents that take a student in one
// step from z at (alpha, sigma) to z2 at (alpha2, sigma2), where the teacher came in two.
torch::Tensor progressive_target(const torch::Tensor& z, const torch::Tensor& z2, double alpha, double sigma,
                                 double alpha2, double sigma2);

}  // namespace ldm
