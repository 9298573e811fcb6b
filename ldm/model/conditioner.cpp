#include "ldm/model/conditioner.h"

#include <ATen/ATen.h>

#include <numeric>
#include <vector>

#include "ldm/core/error.h"

namespace ldm {
namespace {

torch::Tensor join_rows(const torch::Tensor& a, const torch::Tensor& b) {
  check(a.defined() == b.defined(), "join_batches: the two conditionings are of different kinds");
  return a.defined() ? at::cat({a, b}, 0) : torch::Tensor();
}

torch::Tensor repeated_to(const torch::Tensor& context, int64_t tokens) {
  return context.size(1) == tokens ? context : context.repeat({1, tokens / context.size(1), 1});
}

// softmax over r copies of the same keys gives each 1/r of the weight: the same sum of values.
torch::Tensor join_contexts(const torch::Tensor& a, const torch::Tensor& b) {
  if (!a.defined() || !b.defined()) return join_rows(a, b);
  const auto tokens = std::lcm(a.size(1), b.size(1));
  return join_rows(repeated_to(a, tokens), repeated_to(b, tokens));
}

}  // namespace

Conditioning Conditioning::to(at::Device device) const {
  const auto moved = [&](const torch::Tensor& t) { return t.defined() ? t.to(device) : t; };
  return {.context = moved(context), .y = moved(y), .concat = moved(concat), .controls = controls};
}

Conditioning join_batches(const Conditioning& first, const Conditioning& second) {
  check(first.controls == second.controls, "join_batches: expected both batches to have the same controls");
  return {.context = join_contexts(first.context, second.context),
          .y = join_rows(first.y, second.y),
          .concat = join_rows(first.concat, second.concat),
          .controls = first.controls};
}

torch::Tensor stack_field(std::span<const Condition> conditions, torch::Tensor Condition::*field,
                          std::string_view who, std::string_view what) {
  std::vector<torch::Tensor> rows;
  for (const auto& condition : conditions) {
    const auto& value = condition.*field;
    check(value.defined(), who, ": every sample needs ", what);
    rows.push_back(value);
    check(value.sizes() == rows.front().sizes(), who, ": expected ", what,
          " of the same shape for every sample, got ", value.sizes(), " after ", rows.front().sizes());
  }
  return at::stack(rows);
}

}  // namespace ldm
