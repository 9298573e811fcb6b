#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "ldm/diffusion/parameterization.h"
#include "ldm/diffusion/schedule.h"

namespace ldm {

// What diffusion training asks of mathematics: noised inputs, targets, timesteps. t is int64 [N] on the
// device of x0.

// The entries of a schedule's table at t, shaped [N, 1, ...] in the dtype and on the device of `like` [N,
// ...].
torch::Tensor table_at(const std::vector<double>& table, const torch::Tensor& t, const torch::Tensor& like);

// x_t = sqrt(ac_t) x0 + sqrt(1 - ac_t) noise (Ho et al. 2020, Eq. 4).
torch::Tensor q_sample(const NoiseSchedule& schedule, const torch::Tensor& x0, const torch::Tensor& t,
                       const torch::Tensor& noise);

// Noise with a constant per channel added (offset [N, C, 1, 1], unit normals), so that overall brightness is
// trained too.
torch::Tensor offset_noise(const torch::Tensor& noise, const torch::Tensor& offset, double strength);

// What the network should return for x_t: noise, x0 or sqrt(ac_t) noise - sqrt(1 - ac_t) x0.
torch::Tensor training_target(const NoiseSchedule& schedule, Prediction prediction, const torch::Tensor& x0,
                              const torch::Tensor& t, const torch::Tensor& noise);

// Flow matching (Lipman et al. 2023; rectified flow): the straight path at s in [0, 1] ([N]), and its
// velocity.
torch::Tensor flow_sample(const torch::Tensor& x0, const torch::Tensor& s, const torch::Tensor& noise);
torch::Tensor flow_target(const torch::Tensor& x0, const torch::Tensor& noise);

// Timestep of sample `index` of a batch of `batch`, such that the batch covers 0..T-1 evenly: each sample has
// its own stratum, in which `uniform` in [0, 1) places it. The marginal over the batch is uniform; lower
// variance than independent draws, and a function of the global index alone. Throws kUsage for an index or
// uniform out of range.
int64_t stratified_timestep(int64_t index, int64_t batch, double uniform, int64_t timesteps);

enum class LossType { kL1, kL2, kHuber };
// "l1", "l2" or "huber". Throws kUsage.
LossType parse_loss_type(std::string_view name);

// Mean over all but the first axis of |d|, d^2 or sqrt(d^2 + c^2) - c: [N, ...] -> [N].
torch::Tensor per_sample_loss(LossType type, const torch::Tensor& prediction, const torch::Tensor& target,
                              double huber_c = 0.001);

// The original's loss over a batch: l_simple mean(L / exp(logvar) + logvar) + elbo mean(lvlb L), L [N] from
// per_sample_loss. logvar [N] may be undefined (0); lvlb [N] is only read if elbo is not 0.
torch::Tensor original_loss(const torch::Tensor& losses, const torch::Tensor& logvar,
                            const torch::Tensor& lvlb, double l_simple_weight = 1.0,
                            double original_elbo_weight = 0.0);

}  // namespace ldm
