// Distillation targets and time densities; the golden cases have their numbers.
#include "ldm/diffusion/distillation.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "ldm/diffusion/flow_density.h"
#include "tests/diffusion/expect_usage_error.h"

namespace ldm {
namespace {

TEST(Distillation, BoundaryScalingsAreTheIdentityAtTheEnd) {
  const auto cm = consistency_scaling(at::tensor({0.002}, at::kDouble));
  EXPECT_NEAR(cm.c_skip.item<double>(), 1, 1e-12);
  EXPECT_NEAR(cm.c_out.item<double>(), 0, 1e-12);
  const auto lcm = lcm_scaling(at::tensor({0.0}, at::kDouble));
  EXPECT_EQ(lcm.c_skip.item<double>(), 1);
  EXPECT_EQ(lcm.c_out.item<double>(), 0);
}

// A student that returns the target is where the teacher came to.
TEST(Distillation, ProgressiveTargetReachesTheTeachersPoint) {
  const auto z = at::randn({2, 3}, at::kDouble), z2 = at::randn({2, 3}, at::kDouble);
  const double alpha = 0.6, sigma = 0.8, alpha2 = 0.8, sigma2 = 0.6;
  const auto x = progressive_target(z, z2, alpha, sigma, alpha2, sigma2);
  const auto eps = (z - alpha * x) / sigma;
  EXPECT_TRUE(at::allclose(alpha2 * x + sigma2 * eps, z2));
}

TEST(Distillation, RefusesStepsAndLevelsThatAreNone) {
  const auto z = at::zeros({1}), t = at::zeros({1}, at::kLong);
  expect_usage_error([] { lcm_timesteps(0, 1000); }, "1..1000");
  expect_usage_error([&] { lcm_ddim_target(NoiseSchedule(), z, z, t, 2000); }, "1..1000");
  expect_usage_error([&] { progressive_target(z, z, 1, 0, 1, 0); }, "sigma > 0");
  expect_usage_error([&] { progressive_target(z, z, 0.6, 0.8, 0.6, 0.8); }, "levels are one");
}

TEST(FlowDensity, LogitNormalIntegratesToOne) {
  const auto u = (at::arange(100000, at::kDouble) + 0.5) / 100000;
  EXPECT_NEAR(logit_normal_density(u, 0.5, 0.6).mean().item<double>(), 1, 1e-6);
}

TEST(FlowDensity, KeepsTheMiddleAndTheEnds) {
  const auto u = at::tensor({0.0, 0.5, 1.0}, at::kDouble);
  EXPECT_TRUE(at::allclose(mode_time(u, 1.29), 1 - u));
  EXPECT_TRUE(at::allclose(cosmap_time(u), u));
  EXPECT_EQ(logit_normal_time(at::zeros({1})).item<double>(), 0.5);
  expect_usage_error([&] { logit_normal_density(u, 0, 0); }, "positive std");
}

}  // namespace
}  // namespace ldm
