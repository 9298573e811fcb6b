#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "ldm/core/error.h"
#include "ldm/nn/attention_block.h"
#include "ldm/nn/cross_attention.h"
#include "ldm/nn/res_block.h"
#include "ldm/nn/resample_layers.h"
#include "ldm/nn/spatial_transformer.h"
#include "ldm/nn/timestep_embedding.h"
#include "ldm/nn/transformer_block.h"

namespace ldm {
namespace {

std::vector<std::string> names(const torch::nn::Module& module) {
  std::vector<std::string> out;
  for (const auto& item : module.named_parameters()) out.push_back(item.key());
  return out;
}

// Every parameter gets a gradient that is not zero, once the zero-started last layers are moved.
void expect_all_parameters_used(torch::nn::Module& module, const std::function<torch::Tensor()>& forward) {
  {
    torch::NoGradGuard no_grad;
    for (auto& p : module.parameters()) p.add_(0.05 * at::randn_like(p));
  }
  forward().pow(2).sum().backward();
  for (const auto& item : module.named_parameters()) {
    ASSERT_TRUE(item.value().grad().defined()) << item.key();
    EXPECT_GT(item.value().grad().abs().max().item<float>(), 0.0F) << item.key();
  }
}

TEST(TimestepEmbedding, HasTheClosedForm) {
  const auto y = timestep_embedding(at::tensor({0.0F, 2.5F}), 5, 100.0);
  EXPECT_EQ(y.sizes(), (std::vector<int64_t>{2, 5}));
  const auto got = y[1];
  EXPECT_NEAR(got[0].item<float>(), std::cos(2.5), 1e-6);
  EXPECT_NEAR(got[1].item<float>(), std::cos(0.25), 1e-6);  // 100^(-1/2) = 0.1
  EXPECT_NEAR(got[2].item<float>(), std::sin(2.5), 1e-6);
  EXPECT_NEAR(got[3].item<float>(), std::sin(0.25), 1e-6);
  EXPECT_EQ(got[4].item<float>(), 0.0F);
}

TEST(TimestepEmbedding, RefusesAnotherShape) {
  EXPECT_THROW(timestep_embedding(at::zeros({2, 1}), 8), Error);
  EXPECT_THROW(timestep_embedding(at::zeros({2}), 1), Error);
}

TEST(ResampleLayers, AverageUndoesNearest) {
  const auto x = at::randn({1, 2, 3, 5});
  EXPECT_TRUE(at::allclose(downsample_average(upsample_nearest(x)), x));
}

TEST(ResampleLayers, HalveAndDouble) {
  Downsample down({.in_channels = 4, .out_channels = 6});
  Upsample up({.in_channels = 4, .out_channels = 6});
  const auto x = at::randn({1, 4, 6, 10});
  EXPECT_EQ(down.forward(x).sizes(), (std::vector<int64_t>{1, 6, 3, 5}));
  EXPECT_EQ(up.forward(x).sizes(), (std::vector<int64_t>{1, 6, 12, 20}));
  EXPECT_EQ(names(down), (std::vector<std::string>{"op.weight", "op.bias"}));
  EXPECT_EQ(names(up), (std::vector<std::string>{"conv.weight", "conv.bias"}));
}

TEST(ResampleLayers, RefuseAnotherWidthWithoutAConvolution) {
  EXPECT_THROW(Downsample({.in_channels = 4, .out_channels = 6, .use_conv = false}), Error);
  EXPECT_THROW(Upsample({.in_channels = 4, .out_channels = 6, .use_conv = false}), Error);
}

TEST(ResBlock, StartsAsTheIdentity) {
  ResBlock block({.in_channels = 32, .out_channels = 32, .emb_channels = 8});
  const auto x = at::randn({2, 32, 4, 4});
  EXPECT_TRUE(at::equal(block.forward(x, at::randn({2, 8})), x));
}

TEST(ResBlock, UsesEveryParameter) {
  ResBlock block({.in_channels = 64, .out_channels = 128, .emb_channels = 8, .use_scale_shift_norm = true});
  expect_all_parameters_used(block, [&] {
    return block.forward(at::randn({2, 64, 4, 4}), at::randn({2, 8}));
  });
}

TEST(ResBlock, ResizesBothBranches) {
  const auto x = at::randn({1, 32, 4, 4}), emb = at::randn({1, 8});
  ResBlock down({.in_channels = 32, .out_channels = 32, .emb_channels = 8, .resample = Resample::kDown});
  EXPECT_TRUE(at::allclose(down.forward(x, emb), downsample_average(x)));
  ResBlock up({.in_channels = 32, .out_channels = 32, .emb_channels = 8, .resample = Resample::kUp});
  EXPECT_TRUE(at::allclose(up.forward(x, emb), upsample_nearest(x)));
}

TEST(ResBlock, DropsOnlyInTraining) {
  ResBlock block({.in_channels = 32, .out_channels = 64, .emb_channels = 8, .dropout = 0.5});
  {
    torch::NoGradGuard no_grad;
    for (auto& p : block.parameters()) p.normal_(0.0, 0.1);
  }
  const auto x = at::randn({1, 32, 4, 4}), emb = at::randn({1, 8});
  EXPECT_FALSE(at::equal(block.forward(x, emb), block.forward(x, emb)));
  block.eval();
  EXPECT_TRUE(at::equal(block.forward(x, emb), block.forward(x, emb)));
}

TEST(AttentionBlock, UsesEveryParameterInBothOrders) {
  for (const bool new_order : {false, true}) {
    AttentionBlock block({.channels = 64, .heads = 4, .new_order = new_order});
    expect_all_parameters_used(block, [&] { return block.forward(at::randn({2, 64, 3, 5})); });
  }
}

TEST(AttentionBlock, RefusesHeadsThatDoNotDivide) {
  EXPECT_THROW(AttentionBlock({.channels = 64, .heads = 5}), Error);
  EXPECT_THROW(AttentionBlock({.channels = 64, .heads = 0}), Error);
}

TEST(CrossAttention, ARememberingContextGivesTheSameAndReusesIt) {
  CrossAttention attention({.query_dim = 16, .context_dim = 8, .heads = 2, .dim_head = 8});
  const auto x = at::randn({2, 5, 16}), tokens = at::randn({2, 3, 8});
  const auto want = attention.forward(x, tokens);
  const auto context = Context::remembering(tokens);
  EXPECT_TRUE(at::equal(attention.forward(x, context), want));
  tokens.zero_();  // Not looked at again.
  EXPECT_TRUE(at::equal(attention.forward(x, context), want));
}

TEST(CrossAttention, WithOneTokenTheQueryDoesNotMatter) {
  CrossAttention attention({.query_dim = 16, .context_dim = 8, .heads = 2, .dim_head = 8});
  const auto tokens = at::randn({1, 1, 8});
  EXPECT_TRUE(at::allclose(attention.forward(at::randn({1, 5, 16}), tokens),
                           attention.forward(at::randn({1, 5, 16}), tokens), 1e-5, 1e-6));
}

TEST(SpatialTransformer, StartsAsTheIdentityAndUsesEveryParameter) {
  SpatialTransformer block({.in_channels = 32, .heads = 2, .dim_head = 24, .depth = 2, .context_dim = 8});
  const auto x = at::randn({2, 32, 4, 3}), context = at::randn({2, 5, 8});
  EXPECT_TRUE(at::allclose(block.forward(x, context), x));
  expect_all_parameters_used(block, [&] { return block.forward(x, context); });
}

TEST(SpatialTransformer, LinearEndsOnlyChangeShapes) {
  SpatialTransformer convolutions({.in_channels = 32, .heads = 2, .dim_head = 16});
  SpatialTransformer linears({.in_channels = 32, .heads = 2, .dim_head = 16, .use_linear = true});
  EXPECT_EQ(names(convolutions), names(linears));
  EXPECT_EQ(convolutions.named_parameters()["proj_in.weight"].dim(), 4);
  EXPECT_EQ(linears.named_parameters()["proj_in.weight"].dim(), 2);
}

TEST(FeedForward, GatesWithGelu) {
  FeedForward layer({.dim = 4, .mult = 3, .glu = true});
  const auto p = layer.named_parameters();
  const auto x = at::randn({2, 4});
  const auto h = at::linear(x, p["net.0.proj.weight"], p["net.0.proj.bias"]);
  const auto want =
      at::linear(h.narrow(1, 0, 12) * at::gelu(h.narrow(1, 12, 12)), p["net.2.weight"], p["net.2.bias"]);
  EXPECT_TRUE(at::allclose(layer.forward(x), want, 1e-5, 1e-6));
}

}  // namespace
}  // namespace ldm
