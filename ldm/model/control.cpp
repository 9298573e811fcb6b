#include "ldm/model/control.h"

#include <ATen/ATen.h>

#include <utility>

#include "ldm/core/error.h"

namespace ldm {

std::vector<torch::Tensor> control_residuals(const std::vector<std::shared_ptr<const Control>>& controls,
                                             const torch::Tensor& x, const torch::Tensor& t,
                                             const Context& context, const torch::Tensor& y) {
  std::vector<torch::Tensor> sum;
  for (const auto& control : controls) {
    if (control->strength == 0.0) continue;
    check(control->hint.dim() == 4 && control->hint.size(0) == 1,
          "control: expected one hint [1, C, H, W] for the whole batch, got ", control->hint.sizes());
    const auto hint = control->hint.to(x.device()).expand({x.size(0), -1, -1, -1});
    auto residuals = control->network->forward(x, hint, t, context, y);
    for (auto& residual : residuals) residual = residual * control->strength;
    if (sum.empty()) {
      sum = std::move(residuals);
      continue;
    }
    for (size_t i = 0; i < sum.size(); ++i) sum[i] = sum[i] + residuals[i];
  }
  return sum;
}

}  // namespace ldm
