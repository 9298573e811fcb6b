#include "ldm/core/brownian.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <iterator>

#include "ldm/core/error.h"

namespace ldm {
namespace {

BrownianPath path(uint64_t seed) { return BrownianPath(NoiseKind::kPhilox, seed, {10000}); }

TEST(BrownianPath, DependsOnTheSeedAlone) {
  auto a = path(3), b = path(3), c = path(4);
  const auto late = a.at(9.0);
  a.at(1.0);
  EXPECT_TRUE(at::equal(b.at(9.0), late));
  EXPECT_TRUE(at::equal(a.at(9.0), late));
  EXPECT_FALSE(at::equal(c.at(9.0), late));
}

TEST(BrownianPath, IncrementsAreUnitNoiseAndIndependent) {
  auto w = path(5);
  const double levels[] = {14.6, 7.3, 3.1, 0.9, 0.1, 0.03};
  torch::Tensor before;
  for (size_t i = 1; i < std::size(levels); ++i) {
    const auto noise = w.increment(levels[i - 1], levels[i]);
    EXPECT_NEAR(noise.mean().item<double>(), 0.0, 0.05);
    EXPECT_NEAR(noise.std().item<double>(), 1.0, 0.03);
    if (before.defined()) {
      EXPECT_NEAR((noise * before).mean().item<double>(), 0.0, 0.05);
    }
    before = noise;
  }
}

// Two half steps add up to the whole: finer runs follow the same path.
TEST(BrownianPath, FinerStepsFollowTheSamePath) {
  auto w = path(6);
  const auto whole = w.increment(8.0, 2.0) * std::sqrt(6.0);
  const auto parts = w.increment(8.0, 5.0) * std::sqrt(3.0) + w.increment(5.0, 2.0) * std::sqrt(3.0);
  EXPECT_TRUE(at::allclose(whole, parts, 1e-4, 1e-5));
}

// Far points extend the path; they do not change what was there.
TEST(BrownianPath, HasNoEnd) {
  auto w = path(6), far = path(6);
  far.at(157.0);
  EXPECT_TRUE(at::equal(far.at(8.0), w.at(8.0)));
  const auto noise = far.increment(157.0, 3.0);  // Over five pieces.
  EXPECT_NEAR(noise.std().item<double>(), 1.0, 0.03);
  EXPECT_NEAR((noise * far.increment(3.0, 1.0)).mean().item<double>(), 0.0, 0.05);
}

TEST(BrownianNoise, RowsAreTheImagesOwn) {
  const auto like = at::zeros({2, 3, 4});
  const auto both = brownian_noise(NoiseKind::kCpu, 7, 2)(like, 5.0, 3.0);
  const auto second = brownian_noise(NoiseKind::kCpu, 8, 1)(like.slice(0, 0, 1), 5.0, 3.0);
  EXPECT_TRUE(at::equal(both[1], second[0]));
}

TEST(BrownianErrors, Points) {
  EXPECT_THROW(path(1).at(INFINITY), Error);
  EXPECT_THROW(path(1).increment(2.0, 2.0), Error);
}

}  // namespace
}  // namespace ldm
