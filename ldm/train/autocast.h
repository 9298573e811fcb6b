#pragma once

#include <ATen/autocast_mode.h>

#include <string>

namespace ldm {

// While it lives, matrix products and convolutions compute in bfloat16 (precision "bf16"; "fp32" changes
// nothing). Weights and the optimizer stay float32, so no loss scaling is needed.
class AutocastScope {
 public:
  AutocastScope(at::DeviceType device, const std::string& precision)
      : device_(device), active_(precision == "bf16"), before_(at::autocast::is_autocast_enabled(device)) {
    if (!active_) return;
    at::autocast::set_autocast_dtype(device_, at::kBFloat16);
    at::autocast::set_autocast_enabled(device_, true);
    at::autocast::increment_nesting();
  }
  ~AutocastScope() {
    if (!active_) return;
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(device_, before_);
  }
  AutocastScope(const AutocastScope&) = delete;
  AutocastScope& operator=(const AutocastScope&) = delete;

 private:
  at::DeviceType device_;
  bool active_, before_;
};

}  // namespace ldm
