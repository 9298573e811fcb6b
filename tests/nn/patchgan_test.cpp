#include "ldm/nn/patchgan.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "ldm/core/error.h"

namespace ldm {
namespace {

TEST(BatchNorm2d, NormalisesABatchAndKeepsItsStatistics) {
  BatchNorm2dModule norm(4);
  const auto x = at::randn({8, 4, 5, 5}) * 3 + 2;
  const auto y = norm.forward(x);
  EXPECT_LT(y.mean().abs().item<float>(), 1e-5F);
  EXPECT_TRUE(at::allclose(norm.running_mean, 0.1 * x.mean({0, 2, 3}), 1e-4, 1e-5));
  EXPECT_EQ(norm.num_batches_tracked.item<int64_t>(), 1);
  norm.eval();
  norm.forward(x);
  EXPECT_EQ(norm.num_batches_tracked.item<int64_t>(), 1);
}

TEST(ActNorm, IsSetByTheFirstTrainingBatchOnly) {
  ActNormModule norm(4);
  const auto x = at::randn({8, 4, 5, 5}) * 3 + 2;
  norm.eval();
  EXPECT_TRUE(at::equal(norm.forward(x), x));
  norm.train();
  EXPECT_NEAR(norm.forward(x).std().item<float>(), 1.0F, 1e-2F);
  const auto scale = norm.scale.detach().clone();
  norm.forward(10 * x);
  EXPECT_TRUE(at::equal(norm.scale, scale));
}

TEST(PatchDiscriminator, GivesALogitPerPatch) {
  PatchDiscriminator d({.ndf = 8, .n_layers = 3});
  EXPECT_EQ(d.forward(at::randn({2, 3, 64, 64})).sizes(), at::IntArrayRef({2, 1, 6, 6}));
  EXPECT_TRUE(d.named_parameters().contains("main.11.bias"));
  EXPECT_FALSE(d.named_parameters().contains("main.2.bias"));
  EXPECT_EQ(PatchDiscriminator({.ndf = 8, .n_layers = 2}).forward(at::randn({1, 3, 32, 32})).size(2), 6);
}

TEST(PatchDiscriminator, StartsFromSmallNormalWeights) {
  const PatchDiscriminator d({.ndf = 64});
  EXPECT_NEAR(d.named_parameters()["main.5.weight"].std().item<float>(), 0.02F, 1e-3F);
  EXPECT_NEAR(d.named_parameters()["main.6.weight"].mean().item<float>(), 1.0F, 1e-2F);
}

TEST(PatchDiscriminator, RefusesEmptySizes) { EXPECT_THROW(PatchDiscriminator({.n_layers = 0}), Error); }

}  // namespace
}  // namespace ldm
