#include "ldm/nn/first_stage_blocks.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "ldm/core/error.h"

namespace ldm {
namespace {

TEST(ResnetBlock, ShortcutOnlyWhereTheWidthChanges) {
  const auto has = [](const ResnetBlock& block, const char* name) {
    return block.named_children().contains(name);
  };
  EXPECT_FALSE(has(ResnetBlock({.in_channels = 32, .out_channels = 32}), "nin_shortcut"));
  EXPECT_TRUE(has(ResnetBlock({.in_channels = 32, .out_channels = 64}), "nin_shortcut"));
  EXPECT_TRUE(
      has(ResnetBlock({.in_channels = 32, .out_channels = 64, .conv_shortcut = true}), "conv_shortcut"));
}

TEST(ResnetBlock, IsTheShortcutWhenTheLastConvolutionIsZero) {
  ResnetBlock block({.in_channels = 32, .out_channels = 32});
  torch::NoGradGuard no_grad;
  for (auto& p : block.named_parameters()) {
    if (p.key().rfind("conv2", 0) == 0) p.value().zero_();
  }
  const auto x = at::randn({2, 32, 4, 5});
  EXPECT_TRUE(at::equal(block.forward(x), x));
}

TEST(ResnetBlock, RefusesAMissingTimeEmbedding) {
  const ResnetBlock block({.in_channels = 32, .out_channels = 32, .temb_channels = 8});
  EXPECT_THROW(block.forward(at::zeros({1, 32, 4, 4})), Error);
}

TEST(ResnetBlock, DropsOutOnlyWhileTraining) {
  ResnetBlock block({.in_channels = 32, .out_channels = 32, .dropout = 0.5});
  const auto x = at::randn({1, 32, 4, 4});
  EXPECT_FALSE(at::equal(block.forward(x), block.forward(x)));
  block.eval();
  EXPECT_TRUE(at::equal(block.forward(x), block.forward(x)));
}

TEST(AttnBlock, CommutesWithAPermutationOfThePositions) {
  const AttnBlock block(32);
  const auto x = at::randn({1, 32, 3, 4});
  const auto order = at::randperm(12);
  const auto permuted = [&](const torch::Tensor& t) {
    return t.flatten(2).index_select(2, order).view({1, 32, 3, 4});
  };
  EXPECT_TRUE(at::allclose(block.forward(permuted(x)), permuted(block.forward(x)), 1e-4, 1e-5));
}

TEST(MakeAttention, KnowsThreeTypes) {
  EXPECT_FALSE(make_attention("none", 32));
  EXPECT_TRUE(make_attention("vanilla", 32));
  EXPECT_TRUE(make_attention("linear", 32));
  EXPECT_THROW(make_attention("flash", 32), Error);
}

TEST(FirstStageResample, HalvesAndDoubles) {
  const auto x = at::randn({1, 8, 6, 10});
  for (const bool with_conv : {false, true}) {
    EXPECT_EQ(FirstStageDownsample(8, with_conv).forward(x).sizes(), at::IntArrayRef({1, 8, 3, 5}));
    EXPECT_EQ(FirstStageUpsample(8, with_conv).forward(x).sizes(), at::IntArrayRef({1, 8, 12, 20}));
  }
  EXPECT_TRUE(
      at::allclose(FirstStageDownsample(8, false).forward(FirstStageUpsample(8, false).forward(x)), x));
}

}  // namespace
}  // namespace ldm
