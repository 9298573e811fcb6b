#include "ldm/diffusion/spacing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

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
  const std::vector<std::string> inexact = {"original", "ddim_uniform", "beta"};  // Their summaries say so.
  for (const auto& info : spacings()) {
    const bool exact = std::find(inexact.begin(), inexact.end(), info.name) == inexact.end();
    for (const int64_t n : {1, 2, 5, 20, 1000}) {
      if (info.name == "original" && n == 1000) continue;
      const auto sigmas = make_sigmas(schedule, info.name, n);
      ASSERT_TRUE(!exact || static_cast<int64_t>(sigmas.size()) == n + 1) << info.name << " " << n;
      EXPECT_EQ(sigmas.back(), 0.0);
      for (size_t i = 1; i < sigmas.size(); ++i) ASSERT_LT(sigmas[i], sigmas[i - 1]) << info.name << " " << n;
    }
    for (const auto& alias : info.aliases)
      EXPECT_EQ(make_sigmas(schedule, alias, 5), make_sigmas(schedule, info.name, 5)) << alias;
  }
}

TEST(Spacing, StepCountsAtWhichTheOriginalFails) {
  const NoiseSchedule schedule;
  for (const int64_t n : {3, 7, 300, 333, 400, 600, 999, 1000})
    EXPECT_EQ(static_cast<int64_t>(make_sigmas(schedule, "uniform", n).size()), n + 1);
}

TEST(Spacing, ZeroTerminalSnrBeginsWithPureNoise) {
  ScheduleOptions o;
  o.zero_terminal_snr = true;
  const NoiseSchedule schedule(o);
  EXPECT_TRUE(std::isinf(make_sigmas(schedule, "trailing", 10).front()));
  EXPECT_FALSE(std::isinf(make_sigmas(schedule, "leading", 10).front()));
  EXPECT_FALSE(std::isinf(make_sigmas(schedule, "karras", 10).front()));
}

TEST(BetaQuantile, InvertsKnownDistributions) {
  for (const double p : {1e-9, 0.1, 0.5, 0.9, 0.999999}) {
    EXPECT_NEAR(beta_quantile(p, 1, 1), p, 1e-15);
    EXPECT_NEAR(beta_quantile(p, 2, 1), std::sqrt(p), 1e-14);
    EXPECT_NEAR(beta_quantile(p, 0.5, 0.5), std::pow(std::sin(std::numbers::pi * p / 2), 2), 1e-13);
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
  EXPECT_EQ(make_sigmas(schedule, "uniform", 50, {.last = schedule.sigma_min()}).back(),
            schedule.sigma_min());
  EXPECT_EQ(make_sigmas(schedule, "uniform", 1000, {.last = schedule.sigma_min()}).back(), 0.0);
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
  expect_usage_error([] { sigmas_polyexponential(5, 0.1, 1, 0); }, "rho above 0");
  expect_usage_error([] { sigmas_kl_optimal(5, 2, 1); }, "0 < min < max");
  expect_usage_error([] { sigmas_vp(5, 0.0); }, "beta_d > 0");
  expect_usage_error([] { align_your_steps("sd3"); }, "expected sd15 or sdxl");
  expect_usage_error([] { beta_quantile(2, 1, 1); }, "p in [0, 1]");
  expect_usage_error([] { flow_times(5, 0.0); }, "shift above 0");
  expect_usage_error([] { timesteps_lcm(51, 1000); }, "1 to 50 steps, got 51");
}

}  // namespace
}  // namespace ldm
