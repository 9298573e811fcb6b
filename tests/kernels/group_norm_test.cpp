#include "ldm/kernels/group_norm.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "ldm/kernels/simd.h"

namespace ldm {
namespace {

constexpr auto kLast = at::MemoryFormat::ChannelsLast;

class GroupNormKernel : public testing::Test {
 protected:
  void SetUp() override {
    if (!simd_available()) GTEST_SKIP() << "needs AVX2 and FMA";
    at::manual_seed(7);
  }
};

TEST_F(GroupNormKernel, EqualsItsDefinition) {
  // Groups of 10 and of 3 channels cross the borders of the vectors; the mean is far from zero.
  for (const auto& [channels, height, width] : {std::tuple{320, 5, 7}, {96, 17, 3}, {32, 1, 1}}) {
    const auto x = (at::randn({2, channels, height, width}) * 3 + 40).contiguous(kLast);
    const auto weight = at::randn({channels}), bias = at::randn({channels});
    const auto want =
        at::group_norm(x.to(at::kDouble), 32, weight.to(at::kDouble), bias.to(at::kDouble), 1e-5);
    const auto plain = group_norm_nhwc(x, 32, weight, bias, 1e-5, false);
    EXPECT_TRUE(plain.is_contiguous(kLast));
    EXPECT_LT((plain - want).abs().max().item<double>(), 2e-5) << channels;
    const auto gated = group_norm_nhwc(x, 32, weight, bias, 1e-5, true);
    EXPECT_LT((gated - at::silu(want)).abs().max().item<double>(), 2e-5) << channels;
  }
}

TEST_F(GroupNormKernel, TakesAPictureInPieces) {
  const auto x = (at::randn({1, 96, 11, 5}) * 3 + 40).contiguous(kLast);
  const auto weight = at::randn({96}), bias = at::randn({96});
  const auto want = group_norm_nhwc(x, 32, weight, bias, 1e-6, true);
  GroupNormSums sums;
  for (const auto& [first, rows] : {std::pair{0, 4}, {4, 1}, {5, 6}})
    add_group_norm_sums(x.narrow(2, first, rows), sums);
  EXPECT_EQ(sums.pixels, 55);
  for (const auto& [first, rows] : {std::pair{0, 7}, {7, 4}}) {
    const auto got = group_norm_by_sums(x.narrow(2, first, rows), sums, 32, weight, bias, 1e-6, true);
    EXPECT_LT((got - want.narrow(2, first, rows)).abs().max().item<double>(), 1e-5);
  }
}

TEST_F(GroupNormKernel, SiluKeepsItsTails) {
  // One channel a group and weight zero: the output is silu(bias).
  const auto bias = at::tensor({-200.0F, -90.0F, -20.0F, -1.0F, 0.0F, 1.0F, 20.0F, 200.0F});
  const auto x = at::randn({1, 8, 2, 2}).contiguous(kLast);
  const auto got = group_norm_nhwc(x, 8, at::zeros({8}), bias, 1e-5, true).select(2, 0).select(2, 0)[0];
  EXPECT_TRUE(at::allclose(got, at::silu(bias), 1e-6, 1e-30));
}

TEST_F(GroupNormKernel, LeavesOtherLayoutsToOthers) {
  EXPECT_TRUE(group_norm_nhwc_takes(at::randn({1, 32, 4, 4}).contiguous(kLast)));
  EXPECT_FALSE(group_norm_nhwc_takes(at::randn({1, 32, 4, 4})));
  EXPECT_FALSE(group_norm_nhwc_takes(at::randn({1, 36, 4, 4}).contiguous(kLast)));
  EXPECT_FALSE(group_norm_nhwc_takes(at::randn({1, 32, 4, 4}).contiguous(kLast).to(at::kDouble)));
}

}  // namespace
}  // namespace ldm
