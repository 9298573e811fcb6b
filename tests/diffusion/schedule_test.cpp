#include "ldm/diffusion/schedule.h"

#include <gtest/gtest.h>

#include "tests/diffusion/expect_usage_error.h"

namespace ldm {
namespace {

ScheduleOptions linear(double start, double end) {
  ScheduleOptions o;
  o.linear_start = start;
  o.linear_end = end;
  return o;
}

TEST(Schedule, LinearIsLinearInTheSquareRoot) {
  const NoiseSchedule s(linear(0.0015, 0.0195));
  EXPECT_NEAR(s.alphas_cumprod[0], 0.9985, 1e-12);
  EXPECT_NEAR(s.alphas_cumprod[249], 0.510514301, 1e-9);
  EXPECT_NEAR(s.alphas_cumprod[999], 1.42303975e-4, 1e-12);
}

TEST(Schedule, Cosine) {
  ScheduleOptions o;
  o.beta_schedule = "cosine";
  const NoiseSchedule s(o);
  EXPECT_NEAR(s.betas[0], 4.1284e-5, 1e-9);
  EXPECT_NEAR(s.alphas_cumprod[499], 0.49384359, 1e-8);
  EXPECT_EQ(s.betas[999], 0.999);
}

TEST(Schedule, SqrtIsTheRootOfSqrtLinear) {
  auto o = linear(1e-4, 2e-2);
  o.beta_schedule = "sqrt";
  const auto roots = make_betas(o);
  o.beta_schedule = "sqrt_linear";
  const auto betas = make_betas(o);
  for (const size_t t : {0u, 500u, 999u}) EXPECT_NEAR(roots[t] * roots[t], betas[t], 1e-15);
}

TEST(Schedule, PosteriorIsOneAtTheStart) {
  const NoiseSchedule s;
  EXPECT_EQ(s.alphas_cumprod_prev[0], 1.0);
  EXPECT_EQ(s.posterior_variance[0], 0.0);
  EXPECT_NEAR(s.posterior_mean_coef1[0], 1.0, 1e-12);
  EXPECT_NEAR(s.posterior_log_variance[0], std::log(1e-20), 1e-12);
}

TEST(Schedule, ZeroTerminalSnrHasAFiniteAscendingSigmaTable) {
  auto o = linear(0.00085, 0.012);
  o.zero_terminal_snr = true;
  const NoiseSchedule s(o);
  EXPECT_EQ(s.alphas_cumprod.back(), 0.0);
  EXPECT_NEAR(s.alphas_cumprod.front(), 1 - 0.00085, 1e-12);
  EXPECT_NEAR(s.sigma_max(), 4096.0, 1e-3);
  for (size_t t = 1; t < s.sigmas.size(); ++t) EXPECT_GT(s.sigmas[t], s.sigmas[t - 1]);
}

TEST(Schedule, SigmaAndTimestepAreInverse) {
  const NoiseSchedule s(linear(0.00085, 0.012));
  for (const double t : {0.0, 0.25, 17.0, 500.5, 998.75, 999.0})
    EXPECT_NEAR(s.sigma_to_t(s.t_to_sigma(t)), t, 1e-9);
  EXPECT_NEAR(s.t_to_sigma(300), s.sigma(300), 1e-12);
  EXPECT_EQ(s.sigma_to_t(1e9), 999.0);
  EXPECT_EQ(s.sigma_to_t(0.0), 0.0);
  EXPECT_NEAR(s.t_to_sigma(2000), s.sigma_max(), 1e-12);
}

TEST(ScheduleErrors, UnknownNameNamesTheNearest) {
  ScheduleOptions o;
  o.beta_schedule = "cosin";
  expect_usage_error([&] { make_betas(o); }, "did you mean 'cosine'");
}

TEST(ScheduleErrors, TooFewTimesteps) {
  ScheduleOptions o;
  o.timesteps = 1;
  expect_usage_error([&] { NoiseSchedule s(o); }, "at least 2");
}

TEST(ScheduleErrors, BetasOutOfRange) {
  expect_usage_error([&] { NoiseSchedule s(linear(0.5, 1.5)); }, "betas in (0, 1]");
  expect_usage_error([&] { NoiseSchedule s(linear(-1, 0.1)); }, "above 0");
  expect_usage_error([&] { NoiseSchedule::from_betas({0.1}); }, "at least 2 betas");
  expect_usage_error([&] { rescale_zero_terminal_snr({0.1}); }, "at least 2 betas");
}

}  // namespace
}  // namespace ldm
