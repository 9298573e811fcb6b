#include "ldm/diffusion/spacing.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/diffusion/expect_usage_error.h"

namespace ldm {
namespace {

void expect_distinct(const std::vector<int64_t>& t, int64_t n, int64_t timesteps) {
  ASSERT_EQ(static_cast<int64_t>(t.size()), n);
  EXPECT_GE(t.front(), 0);
  EXPECT_LT(t.back(), timesteps) << n;
  for (size_t i = 1; i < t.size(); ++i) ASSERT_GT(t[i], t[i - 1]) << "n = " << n;
}

TEST(Spacing, AnyNumberOfStepsIsExactlyThatNumber) {
  for (int64_t n = 1; n <= 1000; ++n) {
    expect_distinct(timesteps_uniform(n, 1000), n, 1000);
    expect_distinct(timesteps_quad(n, 1000), n, 1000);
  }
  for (int64_t n = 1; n <= 7; ++n) expect_distinct(timesteps_quad(n, 7), n, 7);
}

TEST(Spacing, UniformIsTheOriginalsWhereThatHasNSteps) {
  for (const int64_t n : {1, 2, 5, 10, 50, 200, 250, 500}) {
    EXPECT_EQ(timesteps_uniform(n, 1000), timesteps_original("uniform", n, 1000)) << n;
  }
  for (const int64_t n : {1, 5, 10, 20})
    EXPECT_EQ(timesteps_quad(n, 1000), timesteps_original("quad", n, 1000)) << n;
}

TEST(Spacing, TheOriginalsOwnCountsAreKeptByName) {
  EXPECT_EQ(timesteps_original("uniform", 400, 1000).size(), 500u);
  EXPECT_EQ(timesteps_original("uniform", 7, 1000).back(), 995);
}

TEST(Spacing, EveryNameGivesDescendingLevels) {
  const NoiseSchedule schedule;
  for (const auto& name : spacing_names()) {
    for (const int64_t n : {1, 2, 5, 20, 1000}) {
      if (name == "original" && n == 1000) continue;
      const auto sigmas = make_sigmas(schedule, name, n);
      ASSERT_EQ(static_cast<int64_t>(sigmas.size()), n + 1) << name;
      EXPECT_EQ(sigmas.back(), 0.0);
      for (size_t i = 1; i < sigmas.size(); ++i) ASSERT_LT(sigmas[i], sigmas[i - 1]) << name << " " << n;
    }
  }
}

TEST(Spacing, KarrasEndsAndMiddle) {
  const auto s = sigmas_karras(3, 0.01, 100.0, 2.0);
  EXPECT_NEAR(s[0], 100.0, 1e-9);
  EXPECT_NEAR(s[1], std::pow((10 + 0.1) / 2, 2), 1e-9);
  EXPECT_NEAR(s[2], 0.01, 1e-12);
  EXPECT_NEAR(sigmas_exponential(3, 0.01, 100.0)[1], 1.0, 1e-12);
}

TEST(Spacing, LastLevelIsTheCallersUnlessReached) {
  const NoiseSchedule schedule;
  EXPECT_EQ(make_sigmas(schedule, "uniform", 50, schedule.sigma_min()).back(), schedule.sigma_min());
  EXPECT_EQ(make_sigmas(schedule, "uniform", 1000, schedule.sigma_min()).back(), 0.0);
}

TEST(SpacingErrors, Steps) {
  const NoiseSchedule schedule;
  expect_usage_error([&] { make_sigmas(schedule, "uniform", 0); }, "1 to 1000 steps, got 0");
  expect_usage_error([&] { make_sigmas(schedule, "karras", 1001); }, "1 to 1000 steps, got 1001");
  expect_usage_error([&] { timesteps_uniform(0, 1000); }, "1 to 1000");
  expect_usage_error([&] { timesteps_quad(1001, 1000); }, "1 to 1000");
  expect_usage_error([&] { make_sigmas(schedule, "original", 300); }, "hint: spacing uniform");
}

TEST(SpacingErrors, Names) {
  const NoiseSchedule schedule;
  expect_usage_error([&] { make_sigmas(schedule, "karas", 10); }, "did you mean 'karras'");
  expect_usage_error([&] { timesteps_original("cubic", 10, 1000); }, "uniform or quad");
  expect_usage_error([&] { timesteps_diffusers("cubic", 10, 1000); }, "linspace, leading or trailing");
}

TEST(SpacingErrors, Ranges) {
  expect_usage_error([] { sigmas_karras(0, 0.1, 1); }, "at least 1 step");
  expect_usage_error([] { sigmas_karras(5, 0.0, 1); }, "0 < min < max");
  expect_usage_error([] { sigmas_exponential(5, 2, 1); }, "0 < min < max");
  expect_usage_error([] { sigmas_karras(5, 0.1, 1, 0); }, "rho above 0");
}

}  // namespace
}  // namespace ldm
