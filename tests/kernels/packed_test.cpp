#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>

#include "ldm/kernels/packed_conv.h"
#include "ldm/kernels/packed_linear.h"
#include "ldm/kernels/simd.h"

namespace ldm {
namespace {

class PackedKernels : public testing::Test {
 protected:
  void SetUp() override {
    if (!simd_available()) GTEST_SKIP() << "needs AVX2 and FMA";
    at::manual_seed(7);
  }
  at::NoGradGuard no_grad_;
};

double largest_relative_error(const at::Tensor& got, const at::Tensor& want) {
  const auto exact = want.to(at::kDouble);
  return ((got.to(at::kDouble) - exact).abs().max() / exact.abs().max()).item<double>();
}

struct ConvCase {
  int64_t n, in, out, height, width, kernel, stride, padding, tile;
};

TEST_F(PackedKernels, ConvolutionsEqualTheirDefinition) {
  const ConvCase cases[] = {
      {2, 37, 29, 13, 9, 3, 1, 1, 0},    // Odd channels: rows of the filter.
      {1, 64, 48, 4, 4, 3, 1, 1, 0},     // Small: rows of the filter.
      {2, 16, 24, 10, 7, 3, 1, 1, 4},    // Tiles cut at both edges, a panel cut in half.
      {1, 1024, 520, 8, 9, 3, 1, 1, 2},  // Heavy weights; a stride of 4096 bytes.
      {1, 32, 32, 33, 32, 3, 1, 1, 4},   // More tiles than a block of six rows.
      {2, 32, 40, 9, 8, 3, 2, 1, 0},     // Stride 2.
      {1, 24, 40, 10, 10, 3, 2, 0, 0},   // The first stage's, padded outside.
      {2, 1024, 20, 5, 3, 1, 1, 0, 0},   // Pointwise, with the stride that is copied.
      {1, 3, 16, 16, 16, 4, 4, 0, 0},    // Patches.
  };
  for (const auto& c : cases) {
    const auto x = at::randn({c.n, c.in, c.height, c.width});
    const auto weight = at::randn({c.out, c.in, c.kernel, c.kernel}) / std::sqrt(c.in * c.kernel * c.kernel);
    const auto bias = at::randn({c.out});
    EXPECT_EQ(winograd_tile(weight, c.stride, c.padding, c.height, c.width), c.tile) << c.in << "->" << c.out;
    const auto want =
        at::conv2d(x.to(at::kDouble), weight.to(at::kDouble), bias.to(at::kDouble), c.stride, c.padding);
    PackedConv2d conv(c.stride, c.padding);
    const auto got = conv(x, weight, bias);
    ASSERT_EQ(got.sizes(), want.sizes());
    EXPECT_TRUE(got.is_contiguous(at::MemoryFormat::ChannelsLast));
    EXPECT_LT(largest_relative_error(got, want), 1e-5) << c.in << "->" << c.out << " tile " << c.tile;
    EXPECT_LT(largest_relative_error(conv(x, weight, bias), want), 1e-5);
  }
}

TEST_F(PackedKernels, ConvolutionWithoutBias) {
  const auto x = at::randn({1, 16, 8, 8}), weight = at::randn({16, 16, 3, 3});
  PackedConv2d conv(1, 1);
  EXPECT_LT(largest_relative_error(conv(x, weight, {}), at::conv2d(x, weight, {}, 1, 1)), 1e-5);
}

TEST_F(PackedKernels, WeightsAreReadAgainWhenTheyChange) {
  const auto x = at::randn({1, 16, 8, 8}), weight = at::randn({16, 16, 3, 3}), bias = at::randn({16});
  PackedConv2d conv(1, 1);
  PackedLinear linear;
  const auto tokens = at::randn({3, 144}), matrix = weight.flatten(1);
  conv(x, weight, bias);
  linear(tokens, {matrix}, bias);
  weight.mul_(2.0);
  EXPECT_LT(largest_relative_error(conv(x, weight, bias), at::conv2d(x, weight, bias, 1, 1)), 1e-5);
  EXPECT_LT(largest_relative_error(linear(tokens, {matrix}, bias), at::linear(tokens, matrix, bias)), 1e-5);
  bias.add_(1.0);
  EXPECT_LT(largest_relative_error(conv(x, weight, bias), at::conv2d(x, weight, bias, 1, 1)), 1e-5);
}

TEST_F(PackedKernels, HalfWeightsGiveWhatTheirValuesGiveInFloat) {
  const auto x = at::randn({1, 32, 12, 12});
  for (const auto type : {at::kHalf, at::kBFloat16}) {
    const auto weight = at::randn({32, 32, 3, 3}).to(type), bias = at::randn({32}).to(type);
    PackedConv2d narrow(1, 1), wide(1, 1);
    EXPECT_TRUE(at::equal(narrow(x, weight, bias), wide(x, weight.to(at::kFloat), bias.to(at::kFloat))));
  }
}

// What ARCHITECTURE.md promises of pictures: the same bits in every batch, with any number of threads.
TEST_F(PackedKernels, APictureDoesNotDependOnItsBatchOrOnThreads) {
  const auto x = at::randn({5, 64, 12, 12}), weight = at::randn({64, 64, 3, 3}), bias = at::randn({64});
  PackedConv2d conv(1, 1), strided(2, 1);
  PackedLinear linear;
  const auto tokens = at::randn({5, 40, 96}), matrix = at::randn({70, 96});
  const auto all = conv(x, weight, bias), halved = strided(x, weight, bias);
  const auto mapped = linear(tokens, {matrix}, {});
  const int threads = at::get_num_threads();
  at::set_num_threads(threads + 1);
  for (int64_t i = 0; i < 5; ++i) {
    EXPECT_TRUE(at::equal(conv(x.narrow(0, i, 1), weight, bias), all.narrow(0, i, 1)));
    EXPECT_TRUE(at::equal(strided(x.narrow(0, i, 1), weight, bias), halved.narrow(0, i, 1)));
    EXPECT_TRUE(at::equal(linear(tokens.narrow(0, i, 1), {matrix}, {}), mapped.narrow(0, i, 1)));
  }
  at::set_num_threads(threads);
}

TEST_F(PackedKernels, LinearLayersSideBySide) {
  const auto x = at::randn({2, 7, 1300});
  const auto a = at::randn({48, 1300}), b = at::randn({21, 1300, 1}), bias = at::randn({69});
  PackedLinear linear;
  const auto want = at::linear(x, at::cat({a, b.flatten(1)}), bias);
  const auto got = linear(x, {a, b}, bias);
  ASSERT_EQ(got.sizes(), want.sizes());
  EXPECT_LT(largest_relative_error(got, want), 1e-5);
}

}  // namespace
}  // namespace ldm
