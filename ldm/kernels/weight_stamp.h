#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace ldm {

// Tells whether a layer's weights are still those that were packed: where they lie, and how often they were
// written to.
struct WeightStamp {
  const void* weight = nullptr;
  const void* bias = nullptr;  // Null without one.
  int64_t weight_version = 0, bias_version = 0;

  static WeightStamp of(const at::Tensor& weight, const at::Tensor& bias) {
    // Tensors made in inference mode do not count their versions.
    const auto version = [](const at::Tensor& t) -> int64_t {
      return t.defined() && !t.is_inference() ? t._version() : 0;
    };
    return {.weight = weight.const_data_ptr(),
            .bias = bias.defined() ? bias.const_data_ptr() : nullptr,
            .weight_version = version(weight),
            .bias_version = version(bias)};
  }
  bool operator==(const WeightStamp&) const = default;
};

}  // namespace ldm
