#include "ldm/nn/lora.h"

#include <ATen/ATen.h>

#include <functional>
#include <numeric>

#include "ldm/core/error.h"

namespace ldm {
namespace {

template <typename... Lambdas>
struct LoraOverloaded : Lambdas... {
  using Lambdas::operator()...;
};
template <typename... Lambdas>
LoraOverloaded(Lambdas...) -> LoraOverloaded<Lambdas...>;

torch::Tensor in_float(const torch::Tensor& factor, const char* name) {
  check(factor.defined(), ErrorKind::kFormat, "adapter: the factor ", name, " is missing");
  check(factor.dim() >= 2, ErrorKind::kFormat, "adapter: expected the factor ", name, " to be a matrix, got ",
        factor.sizes());
  return factor.detach().to(at::kFloat);
}

torch::Tensor as_matrix(const torch::Tensor& factor, const char* name) {
  return in_float(factor, name).flatten(1);
}

torch::Tensor product(const torch::Tensor& a, const torch::Tensor& b) {
  check(a.size(1) == b.size(0), ErrorKind::kFormat, "adapter: factors of shape ", a.sizes(), " and ",
        b.sizes(), " do not fit");
  return at::mm(a, b);
}

// out [O, r], core [r, r', kh, kw], in [r', I] -> [O, I, kh, kw].
torch::Tensor tucker(const torch::Tensor& out, const torch::Tensor& core, const torch::Tensor& in) {
  check(core.dim() == 4 && out.size(1) == core.size(0) && core.size(1) == in.size(0), ErrorKind::kFormat,
        "adapter: a core of shape ", core.sizes(), " does not fit factors of shape ", out.sizes(), " and ",
        in.sizes());
  return at::einsum("op,pqhw,qi->oihw", {out, core, in});
}

// a b, or with a core the Tucker form, whose a is stored transposed.
torch::Tensor lycoris_product(const torch::Tensor& a, const torch::Tensor& b, const torch::Tensor& core) {
  const auto first = as_matrix(a, "w_a"), second = as_matrix(b, "w_b");
  if (!core.defined()) return product(first, second);
  return tucker(first.t(), in_float(core, "t"), second);
}

torch::Tensor delta_of(const LoraFactors& f, at::IntArrayRef) {
  const auto up = as_matrix(f.up, "up"), down = as_matrix(f.down, "down");
  return f.mid.defined() ? tucker(up, in_float(f.mid, "mid"), down) : product(up, down);
}

torch::Tensor delta_of(const LohaFactors& f, at::IntArrayRef) {
  const auto first = lycoris_product(f.w1_a, f.w1_b, f.t1), second = lycoris_product(f.w2_a, f.w2_b, f.t2);
  check(first.sizes() == second.sizes(), ErrorKind::kFormat, "adapter: LoHa expected two products of one ",
        "shape, got ", first.sizes(), " and ", second.sizes());
  return first * second;
}

torch::Tensor delta_of(const LokrFactors& f, at::IntArrayRef shape) {
  const auto w1 = f.w1.defined() ? as_matrix(f.w1, "w1") : lycoris_product(f.w1_a, f.w1_b, {});
  auto w2 = f.w2.defined() ? in_float(f.w2, "w2") : lycoris_product(f.w2_a, f.w2_b, f.t2);
  if (shape.size() == 4 && w2.dim() == 2) {  // The kernel's axes are folded into the second.
    const int64_t pixels = shape[2] * shape[3];
    check(w2.size(1) % pixels == 0, ErrorKind::kFormat, "adapter: LoKr's w2 of shape ", w2.sizes(),
          " does not fit a convolution of ", shape[2], " x ", shape[3]);
    w2 = w2.view({w2.size(0), w2.size(1) / pixels, shape[2], shape[3]});
  }
  return at::kron(w2.dim() == 4 ? w1.unsqueeze(-1).unsqueeze(-1) : w1, w2.contiguous());
}

}  // namespace

int64_t adapter_rank(const WeightAdapter& adapter) {
  const auto rows = [](const torch::Tensor& factor) { return factor.defined() ? factor.size(0) : 0; };
  return std::visit(
      LoraOverloaded{[&](const LoraFactors& f) { return rows(f.down); },
                     [&](const LohaFactors& f) { return rows(f.w1_b); },
                     [&](const LokrFactors& f) { return f.w2_b.defined() ? rows(f.w2_b) : rows(f.w1_b); }},
      adapter.factors);
}

double adapter_scale(const WeightAdapter& adapter) {
  const auto rank = adapter_rank(adapter);
  return adapter.alpha && rank > 0 ? *adapter.alpha / static_cast<double>(rank) : 1.0;
}

torch::Tensor weight_delta(const WeightAdapter& adapter, at::IntArrayRef shape) {
  const auto delta = std::visit([&](const auto& f) { return delta_of(f, shape); }, adapter.factors);
  const auto count = std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
  check(delta.numel() == count && delta.size(0) == shape[0], ErrorKind::kFormat,
        "adapter: expected a change of a weight of shape ", shape, ", got one of ", delta.sizes());
  return delta.reshape(shape) * adapter_scale(adapter);
}

void merge_adapter(const torch::Tensor& weight, const WeightAdapter& adapter, double strength) {
  torch::NoGradGuard no_grad;
  const auto delta = weight_delta(adapter, weight.sizes()).to(weight.device());
  weight.copy_(weight.to(at::kFloat) + strength * delta);
}

}  // namespace ldm
