#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <functional>
#include <vector>

namespace ldm {

// Part of a network as a function of tensors.
using RecomputeFn = std::function<torch::Tensor(const std::vector<torch::Tensor>&)>;

// run(inputs), without keeping what the backward pass would need of it: that pass runs it once more (Chen et
// al. 2016, "Training Deep Nets with Sublinear Memory Cost"), with the same random numbers and in the same
// mixed precision. Memory for time. `module` owns the parameters that `run` uses. Without a gradient to
// record it is run(inputs).
torch::Tensor recomputed(const torch::nn::Module& module, const RecomputeFn& run,
                         const std::vector<torch::Tensor>& inputs);

}  // namespace ldm
