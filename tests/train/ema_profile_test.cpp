#include "ldm/train/ema_profile.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/data/temp_folder.h"

namespace ldm {
namespace {

TEST(PowerEma, WidthAndExponentAreInverse) {
  for (const double gamma : {0.0, 1.0, 6.94, 96.99}) {
    EXPECT_NEAR(power_exponent(power_width(gamma)), gamma, 1e-9 * (1 + gamma));
  }
  EXPECT_NEAR(power_exponent(0.05), 16.97, 0.01);  // Karras et al. 2024: sigma_rel 5 % and 10 %.
  EXPECT_NEAR(power_exponent(0.10), 6.94, 0.01);
}

// Averaging the numbers 1, 2, 3, ... by the decays gives the sum over t^gamma weights.
TEST(PowerEma, DecaysMakeThePowerProfile) {
  constexpr double kGamma = 2.0;
  constexpr int kSteps = 2000;
  double average = 0;
  for (int t = 1; t <= kSteps; ++t) {
    const double d = power_decay(t, 1, kGamma);
    average = d * average + (1 - d) * t;
  }
  EXPECT_NEAR(average / kSteps, (kGamma + 1) / (kGamma + 2), 1e-3);  // The mean of (gamma + 1) t^gamma.
}

TEST(PowerEma, ReconstructsAStoredOneExactly) {
  const std::vector<PowerSnapshot> stored{
      {.time = 1, .gamma = 7}, {.time = 2, .gamma = 7}, {.time = 2, .gamma = 17}};
  const std::vector<PowerSnapshot> wanted{stored[1]};
  const auto weights = power_reconstruction(stored, wanted);
  ASSERT_EQ(weights.size(), 3u);
  EXPECT_NEAR(weights[0], 0, 1e-9);
  EXPECT_NEAR(weights[1], 1, 1e-9);
  EXPECT_NEAR(weights[2], 0, 1e-9);
}

TEST(HalfLife, HalvesAfterOne) {
  const auto late = half_life_decay(1e9, 500, 1000, 0.05);
  EXPECT_DOUBLE_EQ(late.beta * late.beta, 0.5);
  EXPECT_DOUBLE_EQ(half_life_decay(1000, 50, 1000, 0.05).beta, 0.5);  // Ramped up to 50 pictures.
}

TEST(EmaProfiles, RefuseWhatTheyCannotBe) {
  EXPECT_TRUE(contains(error_of(ErrorKind::kUsage, [] { power_exponent(0.3); }), "0.288"));
  EXPECT_TRUE(contains(error_of(ErrorKind::kUsage, [] { power_width(-1); }), "gamma"));
  EXPECT_TRUE(contains(error_of(ErrorKind::kUsage, [] { power_decay(1, 2, 3); }), "delta"));
  EXPECT_TRUE(contains(error_of(ErrorKind::kUsage, [] { half_life_decay(0, 1, 1, 1); }), "positive"));
  EXPECT_TRUE(contains(error_of(ErrorKind::kUsage, [] { power_reconstruction({}, {}); }), "snapshots"));
  const std::vector<PowerSnapshot> twice{{.time = 1, .gamma = 7}, {.time = 1, .gamma = 7}};
  EXPECT_TRUE(contains(error_of(ErrorKind::kData, [&] { power_reconstruction(twice, twice); }), "same"));
}

}  // namespace
}  // namespace ldm
