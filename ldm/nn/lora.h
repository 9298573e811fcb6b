#pragma once

#include <torch/types.h>

#include <cstdint>
#include <optional>
#include <variant>

namespace ldm {

// Low-rank changes of trained weights: W' = W + strength * (alpha / rank) * delta, for a linear layer's
// W [out, in] or a convolution's [out, in, kh, kw]. Undefined tensors are absent. In the "Tucker" forms a
// core [r, r, kh, kw] stands between the two factors, which then are matrices.

// LoRA (Hu et al. 2021, Eq. 3), LoCon for convolutions: delta = up down, or up mid down.
struct LoraFactors {
  torch::Tensor down;  // [r, in] or [r, in, kh, kw]; with mid [r, in, 1, 1].
  torch::Tensor up;    // [out, r] or [out, r, 1, 1].
  torch::Tensor mid;   // [r, r, kh, kw]: the Tucker core.
};

// LoHa (Hyeon-Woo et al. 2022, FedPara): delta = (w1_a w1_b) * (w2_a w2_b), element by element.
struct LohaFactors {
  torch::Tensor w1_a, w1_b;  // [out, r], [r, in kh kw]; with a core [r, out], [r, in].
  torch::Tensor w2_a, w2_b;
  torch::Tensor t1, t2;  // [r, r, kh, kw]: Tucker cores of the two.
};

// LoKr (Yeh et al. 2024, LyCORIS): delta = kron(w1, w2), each whole or in two factors.
struct LokrFactors {
  torch::Tensor w1;          // [a, b]
  torch::Tensor w1_a, w1_b;  // [a, r], [r, b]
  torch::Tensor w2;          // [out/a, in/b] or [out/a, in/b, kh, kw]
  torch::Tensor w2_a, w2_b;  // [out/a, r], [r, in/b kh kw]; with a core [r, out/a], [r, in/b].
  torch::Tensor t2;          // [r, r, kh, kw]
};

// The change of one weight.
struct WeightAdapter {
  std::variant<LoraFactors, LohaFactors, LokrFactors> factors;
  std::optional<double> alpha;  // Absent: the rank.
};

// r; 0 for a LoKr of two whole matrices, which has none.
int64_t adapter_rank(const WeightAdapter& adapter);

// alpha / rank; 1 without alpha or without a rank.
double adapter_scale(const WeightAdapter& adapter);

// scale * delta in the shape of the weight, float32 on the factors' device. Throws kFormat when a factor is
// missing or the shapes do not fit the weight's.
torch::Tensor weight_delta(const WeightAdapter& adapter, at::IntArrayRef weight_shape);

// Adds strength * weight_delta() to the weight in place: summed in float32, rounded once to its dtype.
void merge_adapter(const torch::Tensor& weight, const WeightAdapter& adapter, double strength);

}  // namespace ldm
