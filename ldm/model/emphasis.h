#pragma once

#include <torch/types.h>

namespace ldm {

// What the weights of a prompt do to the states that the encoder made of it (AUTOMATIC1111's web UI).
enum class Emphasis {
  kOriginal,  // Multiplied, and the whole scaled back to the mean that it had.
  kNoNorm,    // Multiplied.
};

// states [..., T, D], weights [..., T]. With kOriginal the mean is taken over the whole tensor; where all
// weights are 1 nothing changes, not even in the last bit.
torch::Tensor emphasized(const torch::Tensor& states, const torch::Tensor& weights,
                         Emphasis rule = Emphasis::kOriginal);

}  // namespace ldm
