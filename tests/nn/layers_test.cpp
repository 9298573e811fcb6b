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
  at::manual_seed(1);  // ATen's own start is another one in each run.
  const auto conv = conv3x3(16, 64);
  const float bound = 1.0F / 12.0F;  // 1 / sqrt(16 * 9)
  EXPECT_LE(conv->weight.abs().max().item<float>(), bound);
  EXPECT_GT(conv->weight.abs().max().item<float>(), 0.98F * bound);
  EXPECT_NEAR(conv->weight.mean().item<float>(), 0.0F, 0.03F * bound);
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

TEST(Layers, NormSiluAgreesWithAndWithoutGradients) {
  const auto norm = group_norm(32);
  const auto x = at::randn({2, 32, 3, 4});
  const auto with_gradients = norm_silu(norm, x).detach();
  EXPECT_TRUE(at::allclose(with_gradients, at::silu(norm(x)), 1e-6, 1e-7));
  torch::NoGradGuard no_grad;
  EXPECT_TRUE(at::allclose(norm_silu(norm, x), with_gradients, 1e-6, 1e-7));
}

// A block of every kind of layer that has a second way.
struct PreparedLayers : torch::nn::Module {
  Conv2d conv = add(*this, "conv", conv3x3(32, 64));
  GroupNorm norm = add(*this, "norm", group_norm(64));
  Linear q = add(*this, "q", linear(64, 16, false)), k = add(*this, "k", linear(64, 24, false));
  Linear out = add(*this, "out", linear(40, 8));
  LinearGroup both{{q, k}};

  torch::Tensor forward(const torch::Tensor& x) const {
    const auto tokens = pixels_to_tokens(norm_silu(norm, conv(x)));
    return out(at::cat(both(tokens), -1));
  }
};

TEST(Layers, PreparedForInferenceTheyAgreeAndStillLearn) {
  PreparedLayers layers;
  const auto x = at::randn({2, 32, 8, 8});
  const auto want = layers.forward(x).detach();
  prepare_for_inference(layers);
  layers.both.prepare_for_inference();
  {
    torch::NoGradGuard no_grad;
    const auto got = layers.forward(x);
    EXPECT_LT((got - want).abs().max().item<float>(), 1e-5F * want.abs().max().item<float>());
  }
  EXPECT_EQ(layers.named_parameters().size(), 8U);  // Nothing was added to what is saved.
  layers.forward(x).sum().backward();
  for (const auto& p : layers.named_parameters()) EXPECT_TRUE(p.value().grad().defined()) << p.key();
}

TEST(Layers, PackedWeightsAreCounted) {
  torch::nn::Module all;
  add(all, "matrix", linear(32, 64));
  EXPECT_EQ(packed_bytes(all), 32 * 64 * 4);
  add(all, "light", conv3x3(64, 64));  // F(4 x 4): 36 values for 9.
  EXPECT_EQ(packed_bytes(all), (32 * 64 + 64 * 64 * 36) * 4);
  add(all, "point", conv1x1(64, 32));
  EXPECT_EQ(packed_bytes(all), (32 * 64 + 64 * 64 * 36 + 64 * 32) * 4);
}

TEST(Layers, NarrowWeightsComputeInFloatOnTheCpu) {
  for (const auto type : {at::kHalf, at::kBFloat16}) {
    PreparedLayers narrow, wide;
    narrow.to(type);
    torch::NoGradGuard no_grad;
    const auto from = narrow.named_parameters();
    for (auto& p : wide.named_parameters()) p.value().copy_(from[p.key()]);
    const auto x = at::randn({1, 32, 8, 8});
    EXPECT_TRUE(at::equal(narrow.forward(x), wide.forward(x)));
    EXPECT_EQ(compute_type(narrow.conv->weight), at::kFloat);
    EXPECT_EQ(compute_type(wide.conv->weight), at::kFloat);
  }
}

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
