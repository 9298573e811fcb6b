#include "ldm/nn/lora_runtime.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "ldm/core/error.h"

namespace ldm {
namespace {

template <typename Module, typename Make>
void expect_beside_equals_merged(const Make& make, const WeightAdapter& adapter, const torch::Tensor& x) {
  torch::NoGradGuard no_grad;
  const Layer<Module> layer = make();
  const auto before = layer(x);
  attach_adapter(*layer.ptr(), adapter, 0.7);
  const auto beside = layer(x);
  EXPECT_FALSE(at::allclose(beside, before, 1e-3, 1e-4));
  layer->additions.clear();
  EXPECT_TRUE(at::equal(layer(x), before));
  merge_adapter(layer->weight, adapter, 0.7);
  EXPECT_TRUE(at::allclose(beside, layer(x), 1e-4, 1e-4));
}

TEST(LoraRuntime, BesideALinearLayerEqualsMerged) {
  const auto make = [] { return linear(6, 8); };
  const auto x = at::randn({2, 3, 6});
  const auto expect = [&](const WeightAdapter& adapter) {
    expect_beside_equals_merged<LinearModule>(make, adapter, x);
  };
  expect({LoraFactors{.down = at::randn({2, 6}), .up = at::randn({8, 2})}, 1.0});
  expect({LoraFactors{.down = at::randn({2, 6, 1, 1}), .up = at::randn({8, 2, 1, 1})}, {}});
  expect(
      {LohaFactors{at::randn({8, 2}), at::randn({2, 6}), at::randn({8, 2}), at::randn({2, 6}), {}, {}}, 3.0});
  expect({LokrFactors{.w1 = at::randn({2, 3}), .w2 = at::randn({4, 2})}, {}});
  // The layer may be stored as a 1x1 convolution.
  expect_beside_equals_merged<LinearModule>(
      [] { return pointwise(6, 8, 2); },
      {LoraFactors{.down = at::randn({2, 6}), .up = at::randn({8, 2})}, {}}, x);
}

TEST(LoraRuntime, BesideAConvolutionEqualsMerged) {
  const auto make = [] { return conv3x3(6, 8, /*stride=*/2); };
  const auto x = at::randn({2, 6, 8, 8});
  const auto expect = [&](const WeightAdapter& adapter) {
    expect_beside_equals_merged<Conv2dModule>(make, adapter, x);
  };
  expect({LoraFactors{.down = at::randn({2, 6, 3, 3}), .up = at::randn({8, 2, 1, 1})}, 1.0});
  expect(
      {LoraFactors{.down = at::randn({2, 6, 1, 1}), .up = at::randn({8, 2}), .mid = at::randn({2, 2, 3, 3})},
       1.0});
  expect({LohaFactors{at::randn({8, 1}), at::randn({1, 54}), at::randn({8, 1}), at::randn({1, 54}), {}, {}},
          {}});
  expect({LokrFactors{.w1 = at::randn({2, 3}), .w2 = at::randn({4, 2, 3, 3})}, {}});
}

TEST(LoraRuntime, AdaptersAddUp) {
  torch::NoGradGuard no_grad;
  const auto layer = linear(6, 8);
  const auto x = at::randn({2, 6}), before = layer(x);
  const WeightAdapter adapter{LoraFactors{.down = at::randn({2, 6}), .up = at::randn({8, 2})}, {}};
  attach_adapter(*layer.ptr(), adapter, 1.5);
  attach_adapter(*layer.ptr(), adapter, -1.5);
  EXPECT_TRUE(at::allclose(layer(x), before, 1e-4, 1e-4));
}

TEST(LoraRuntime, RefusesAnotherLayersAdapter) {
  const auto layer = linear(6, 8);
  const WeightAdapter adapter{LoraFactors{.down = at::randn({2, 5}), .up = at::randn({8, 2})}, {}};
  EXPECT_THROW(attach_adapter(*layer.ptr(), adapter, 1.0), Error);
  EXPECT_TRUE(layer->additions.empty());
}

}  // namespace
}  // namespace ldm
