#include "ldm/nn/layers.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "ldm/core/error.h"

namespace ldm {
namespace {

TEST(Layers, AddBuildsTheModulesOfADottedName) {
  torch::nn::Module parent;
  add(parent, "in_layers.0", group_norm(32));
  add(parent, "in_layers.2", conv3x3(32, 64));
  std::vector<std::string> names;
  for (const auto& item : parent.named_parameters()) names.push_back(item.key());
  EXPECT_EQ(names, (std::vector<std::string>{"in_layers.0.weight", "in_layers.0.bias", "in_layers.2.weight",
                                             "in_layers.2.bias"}));
}

TEST(Layers, StartAsPyTorchStartsThem) {
  const auto conv = conv3x3(16, 64);
  const float bound = 1.0F / 12.0F;  // 1 / sqrt(16 * 9)
  EXPECT_LE(conv->weight.abs().max().item<float>(), bound);
  EXPECT_GT(conv->weight.abs().max().item<float>(), 0.98F * bound);
  EXPECT_NEAR(conv->weight.mean().item<float>(), 0.0F, 0.01F * bound);
  EXPECT_LE(conv->bias.abs().max().item<float>(), bound);
}

TEST(Layers, PointwiseIsAConvolutionOverTokens) {
  const auto layer = pointwise(8, 6, /*unit_axes=*/2);
  EXPECT_EQ(layer->weight.sizes(), (std::vector<int64_t>{6, 8, 1, 1}));
  const auto x = at::randn({2, 8, 4, 3});
  const auto want = at::conv2d(x, layer->weight, layer->bias);
  EXPECT_TRUE(at::allclose(tokens_to_pixels(layer(pixels_to_tokens(x)), x), want, 1e-5, 1e-6));
}

TEST(Layers, InitScopeMetaTakesNoMemoryAndEnds) {
  {
    const InitScope scope(Init::kMeta);
    const auto layer = linear(1 << 20, 1 << 20);
    EXPECT_TRUE(layer->weight.is_meta());
    EXPECT_TRUE(zeroed(layer)->weight.is_meta());
  }
  EXPECT_TRUE(linear(2, 2)->weight.is_cpu());
}

TEST(Layers, InitScopeNoneDrawsNothing) {
  at::manual_seed(1);
  const auto want = at::rand({4});
  at::manual_seed(1);
  {
    const InitScope scope(Init::kNone);
    linear(64, 64);
    embedding(8, 8);
  }
  EXPECT_TRUE(at::equal(at::rand({4}), want));
}

TEST(Layers, GroupNormRefusesChannelsThatItCannotGroup) { EXPECT_THROW(group_norm(48), Error); }

TEST(Layers, AttentionMatchesItsFormula) {
  const auto q = at::randn({2, 3, 5, 4}), k = at::randn({2, 3, 7, 4}), v = at::randn({2, 3, 7, 4});
  const auto want = at::matmul(at::softmax(at::matmul(q, k.transpose(-1, -2)) * 0.25, -1), v);
  EXPECT_TRUE(at::allclose(attention(q, k, v, {}, 0.25), want, 1e-5, 1e-6));
}

TEST(Layers, AttentionLooksOnlyWhereTheMaskIsTrue) {
  const auto q = at::randn({1, 1, 2, 4}), k = at::randn({1, 1, 3, 4}), v = at::randn({1, 1, 3, 4});
  const auto mask = (at::arange(3) < 2).view({1, 1, 1, 3});
  const auto want = attention(q, k.narrow(2, 0, 2), v.narrow(2, 0, 2));
  EXPECT_TRUE(at::allclose(attention(q, k, v, mask), want, 1e-5, 1e-6));
}

TEST(Layers, HeadsSplitAndMerge) {
  const auto x = at::randn({2, 5, 12});
  const auto split = split_heads(x, 3);
  EXPECT_EQ(split.sizes(), (std::vector<int64_t>{2, 3, 5, 4}));
  EXPECT_TRUE(at::equal(merge_heads(split), x));
}

}  // namespace
}  // namespace ldm
