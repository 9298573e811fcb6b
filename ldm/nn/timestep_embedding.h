#pragma once

#include <torch/types.h>

namespace ldm {

// Sinusoidal embedding of diffusion times (Vaswani et al. 2017, Sec. 3.5, as in ADM): [cos(t f_i) | sin(t
// f_i)] with f_i = max_period^(-i / half), half = dim / 2; an odd width ends in a zero column. t [N],
// integers or fractions -> [N, dim] float32.
torch::Tensor timestep_embedding(const torch::Tensor& t, int64_t dim, double max_period = 10000.0);

// The original's `repeat_only`: the times themselves, side by side. t [N] -> [N, dim] float32.
torch::Tensor repeated_timesteps(const torch::Tensor& t, int64_t dim);

}  // namespace ldm
