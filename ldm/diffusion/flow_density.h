#pragma once

#include <torch/types.h>

namespace ldm {

// How flow-matching training spreads its times over (0, 1) (Esser et al. 2024, "Scaling Rectified Flow
// Transformers", Sec. 3.1). u: uniform numbers in (0, 1); all are computed in the dtype of their input.

// Logit-normal, Eq. 19: sigmoid(mean + std normal), from unit normals; and its density at u.
torch::Tensor logit_normal_time(const torch::Tensor& normal, double mean = 0.0, double std = 1.0);
torch::Tensor logit_normal_density(const torch::Tensor& u, double mean = 0.0, double std = 1.0);

// Mode sampling with heavy tails, Eq. 20: 1 - u - s (cos^2(pi u / 2) - 1 + u). s in [-1, 2 / (pi - 2)].
torch::Tensor mode_time(const torch::Tensor& u, double scale);

// CosMap, Eq. 21: 1 - 1 / (tan(pi u / 2) + 1), whose log signal-to-noise ratios are those of the cosine
// schedule.
torch::Tensor cosmap_time(const torch::Tensor& u);

}  // namespace ldm
