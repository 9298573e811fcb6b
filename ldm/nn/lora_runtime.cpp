#include "ldm/nn/lora_runtime.h"

#include <ATen/ATen.h>

#include <memory>
#include <utility>
#include <vector>

namespace ldm {
namespace {

// Weights that are applied one after the other: the linear ones as matrices [O, I], the others as kernels
// [O, I, kh, kw], of which one has the layer's stride and padding.
class ChainAddition : public LayerAddition {
 public:
  explicit ChainAddition(std::vector<torch::Tensor> weights) : weights_(std::move(weights)) {}
  ChainAddition(std::vector<torch::Tensor> weights, size_t strided, int64_t stride, int64_t padding)
      : weights_(std::move(weights)), strided_(strided), stride_(stride), padding_(padding) {}

  torch::Tensor forward(const torch::Tensor& x) const override {
    auto h = x;
    for (size_t i = 0; i < weights_.size(); ++i) {
      const auto weight = weights_[i].to(x.scalar_type());
      if (weight.dim() == 2) {
        h = at::linear(h, weight);
      } else {
        const bool here = i == strided_;
        const int64_t stride = here ? stride_ : 1, padding = here ? padding_ : 0;
        h = at::conv2d(h, weight, {}, {stride, stride}, {padding, padding});
      }
    }
    return h;
  }

 private:
  std::vector<torch::Tensor> weights_;
  size_t strided_ = 0;
  int64_t stride_ = 1, padding_ = 0;
};

torch::Tensor placed(const torch::Tensor& factor, const torch::Tensor& weight, double scale = 1.0) {
  return (factor.detach().to(weight.device(), at::kFloat) * scale).contiguous();
}

}  // namespace

void attach_adapter(LinearModule& layer, const WeightAdapter& adapter, double strength) {
  const auto delta = weight_delta(adapter, layer.weight.sizes());  // Also checks the shapes.
  const double scale = strength * adapter_scale(adapter);
  const auto* lora = std::get_if<LoraFactors>(&adapter.factors);
  std::vector<torch::Tensor> weights;
  if (lora != nullptr && !lora->mid.defined()) {
    weights = {placed(lora->down.flatten(1), layer.weight), placed(lora->up.flatten(1), layer.weight, scale)};
  } else {
    weights = {placed(delta.flatten(1), layer.weight, strength)};
  }
  layer.additions.push_back(std::make_shared<ChainAddition>(std::move(weights)));
}

void attach_adapter(Conv2dModule& layer, const WeightAdapter& adapter, double strength) {
  const auto& w = layer.weight;
  const auto delta = weight_delta(adapter, w.sizes());
  std::vector<torch::Tensor> weights{placed(delta, w, strength)};
  size_t strided = 0;
  if (const auto* lora = std::get_if<LoraFactors>(&adapter.factors)) {
    const int64_t rank = lora->down.size(0);
    const auto up = placed(lora->up, w, strength * adapter_scale(adapter)).view({w.size(0), -1, 1, 1});
    if (lora->mid.defined()) {
      weights = {placed(lora->down, w).view({rank, -1, 1, 1}), placed(lora->mid, w), up};
      strided = 1;
    } else {
      weights = {placed(lora->down, w).view({rank, w.size(1), w.size(2), w.size(3)}), up};
    }
  }
  layer.additions.push_back(
      std::make_shared<ChainAddition>(std::move(weights), strided, layer.stride(), layer.padding()));
}

}  // namespace ldm
