#include "ldm/core/noise.h"

#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "ldm/core/error.h"

namespace ldm {
namespace {

// element -> expected value
using Values = std::vector<std::pair<int64_t, double>>;

void expect_values(const torch::Tensor& got, const Values& want, double tolerance) {
  const auto flat = got.to(at::kDouble).reshape({-1});
  for (const auto& [index, value] : want) {
    EXPECT_NEAR(flat[index].item<double>(), value, tolerance) << "element " << index;
  }
}

// Recorded from torch 2.13 on a CPU. Its vectorised logarithm and cosine differ by some 1e-6 between
// instruction sets.
constexpr double kVectorised = 4e-6;

TEST(NoiseCpu, EqualsPyTorch) {
  expect_values(NoiseStream(NoiseKind::kCpu, 42).randn({17}),
                {{0, 1.9269152879714966},
                 {1, -0.1595974713563919},
                 {2, -0.4973975419998169},
                 {16, -0.3097267746925354}},
                kVectorised);
  expect_values(NoiseStream(NoiseKind::kCpu, 0).randn({1, 4, 6, 7}),
                {{0, -1.1258398}, {1, -1.1523602}, {2, -0.25057858}, {3, -0.4338788}}, kVectorised);
  // Only the low 32 bits of a seed count: 4294967303 is 7.
  expect_values(NoiseStream(NoiseKind::kCpu, 4294967303).randn({2, 8}),
                {{0, -0.8201345}, {1, 0.39563116}, {2, 0.8989085}, {3, -1.3884039}}, kVectorised);
}

TEST(NoiseCpu, FewElementsAreDrawnInAnotherWay) {
  expect_values(
      NoiseStream(NoiseKind::kCpu, 42).randn({15}),
      {{0, 0.33669036626815796}, {1, 0.12880940735340118}, {2, 0.23446236550807953}, {3, 0.23033303}}, 1e-7);
}

TEST(NoiseCpu, TheStreamContinues) {
  // Sizes 3 and 20 and 1: the second value of the last pair of the first call waits for the third.
  NoiseStream stream(NoiseKind::kCpu, 42);
  expect_values(stream.randn({3}), {{0, 0.33669036626815796}, {2, 0.23446236550807953}}, 1e-7);
  expect_values(stream.randn({20}), {{0, 1.7877893447875977}}, kVectorised);
  expect_values(stream.randn({1}), {{0, 0.23033303022384644}}, 1e-7);
}

TEST(NoiseCpu, DoublesAreDrawnAsDoubles) {
  const auto noise = NoiseStream(NoiseKind::kCpu, 42).randn({20}, at::kDouble);
  EXPECT_EQ(noise.scalar_type(), at::kDouble);
  expect_values(noise, {{0, 0.2995562877502637}, {1, 0.24237779080894106}, {3, -0.23294220898382634}}, 1e-12);
}

TEST(NoisePhilox, EqualsThePublishedValues) {
  NoiseStream stream(NoiseKind::kPhilox, 42);
  expect_values(stream.randn({4, 8, 8}),
                {{0, 0.1940188705921173},
                 {1, 2.1613738536834717},
                 {2, -0.17205095291137695},
                 {255, -1.800972580909729}},
                1e-6);
  expect_values(stream.randn({4, 8, 8}),
                {{0, 0.13913749158382416}, {1, -0.10821615904569626}, {255, -0.6388839483}}, 1e-6);
  expect_values(NoiseStream(NoiseKind::kPhilox, 0).randn({4}), {{0, -0.9246624112}, {2, -2.6438457966}},
                1e-6);
}

TEST(NoisePhilox, AllBitsOfTheSeedCount) {
  expect_values(NoiseStream(NoiseKind::kPhilox, 4294967303).randn({4}),
                {{0, -0.2827352285}, {1, -1.0128042698}}, 1e-6);
  expect_values(NoiseStream(NoiseKind::kPhilox, 9223372036854775807u).randn({4}), {{0, -0.8442156911}}, 1e-6);
}

class NoiseOfBothKinds : public testing::TestWithParam<NoiseKind> {};
INSTANTIATE_TEST_SUITE_P(Noise, NoiseOfBothKinds, testing::Values(NoiseKind::kCpu, NoiseKind::kPhilox));

TEST_P(NoiseOfBothKinds, NameRoundTrips) { EXPECT_EQ(parse_noise_kind(to_string(GetParam())), GetParam()); }

TEST_P(NoiseOfBothKinds, CopiesDoNotShareTheStream) {
  NoiseStream stream(GetParam(), 5);
  stream.randn({3});
  NoiseStream copy = stream;
  const auto next = stream.randn({32});
  stream.randn({32});
  EXPECT_TRUE(at::equal(copy.randn({32}), next));
  copy = stream;
  EXPECT_TRUE(at::equal(copy.randn({7}), stream.randn({7})));
}

TEST_P(NoiseOfBothKinds, GivesTheWantedTypeAndShape) {
  const auto half = NoiseStream(GetParam(), 1).randn({2, 0, 3}, at::kHalf);
  EXPECT_EQ(half.scalar_type(), at::kHalf);
  EXPECT_EQ(half.sizes(), (std::vector<int64_t>{2, 0, 3}));
  EXPECT_THROW(NoiseStream(GetParam(), 1).randn({2}, at::kLong), Error);
  EXPECT_THROW(NoiseStream(GetParam(), 1).randn({2, -1}), Error);
}

TEST_P(NoiseOfBothKinds, AnImageDoesNotDependOnItsBatch) {
  const auto batch = batch_noise(GetParam(), 100, 3, {4, 8, 8});
  EXPECT_EQ(batch.sizes(), (std::vector<int64_t>{3, 4, 8, 8}));
  for (int64_t k = 0; k < 3; ++k) {
    const auto alone = batch_noise(GetParam(), 100 + static_cast<uint64_t>(k), 1, {4, 8, 8});
    EXPECT_TRUE(at::equal(batch[k], alone[0])) << k;
    EXPECT_TRUE(at::equal(batch[k], NoiseStream(GetParam(), 100 + static_cast<uint64_t>(k)).randn({4, 8, 8})))
        << k;
  }
  EXPECT_EQ(batch_noise(GetParam(), 1, 0, {4}).numel(), 0);
  EXPECT_THROW(batch_noise(GetParam(), 1, -1, {4}), Error);
}

TEST(NoiseKind, RefusesOtherNames) { EXPECT_THROW(parse_noise_kind("cuda"), Error); }

}  // namespace
}  // namespace ldm
