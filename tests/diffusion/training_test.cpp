#include "ldm/diffusion/training.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "tests/diffusion/expect_usage_error.h"

namespace ldm {
namespace {

TEST(QSample, MixesBySchedule) {
  const NoiseSchedule s;
  const auto x =
      q_sample(s, at::full({2, 1, 1, 1}, 2.0), at::tensor({0, 999}, at::kLong), at::full({2, 1, 1, 1}, 3.0));
  EXPECT_EQ(x.scalar_type(), at::kFloat);
  for (const int64_t i : {0, 1}) {
    const double ac = s.alphas_cumprod[i == 0 ? 0 : 999];
    EXPECT_NEAR(x[i].item<double>(), 2 * std::sqrt(ac) + 3 * std::sqrt(1 - ac), 1e-5);
  }
}

TEST(TrainingTarget, IsWhatToX0Inverts) {
  const NoiseSchedule s;
  const auto x0 = at::randn({3, 2, 2, 2}, at::kDouble), noise = at::randn({3, 2, 2, 2}, at::kDouble);
  const auto t = at::tensor({1, 400, 900}, at::kLong);
  const auto x_t = q_sample(s, x0, t, noise), ac = table_at(s.alphas_cumprod, t, x0);
  for (const auto p : {Prediction::kEps, Prediction::kX0, Prediction::kV}) {
    EXPECT_TRUE(at::allclose(to_x0(p, training_target(s, p, x0, t, noise), x_t, ac), x0))
        << prediction_name(p);
  }
}

TEST(StratifiedTimestep, CoversTheScheduleEvenly) {
  std::set<int64_t> strata;
  for (int64_t i = 0; i < 10; ++i) strata.insert(stratified_timestep(i, 10, 0.999, 1000) / 100);
  EXPECT_EQ(strata.size(), 10u);
  EXPECT_EQ(stratified_timestep(0, 10, 0.0, 1000), 0);
  EXPECT_EQ(stratified_timestep(9, 10, std::nextafter(1.0, 0.0), 1000), 999);
}

TEST(PerSampleLoss, Means) {
  const auto a = at::tensor({1.0, 3.0, 0.0, 0.0}).view({2, 2}), b = at::zeros({2, 2});
  EXPECT_TRUE(at::allclose(per_sample_loss(LossType::kL1, a, b), at::tensor({2.0, 0.0})));
  EXPECT_TRUE(at::allclose(per_sample_loss(LossType::kL2, a, b), at::tensor({5.0, 0.0})));
  EXPECT_TRUE(
      at::allclose(per_sample_loss(LossType::kHuber, a, b, 1e-6), at::tensor({2.0, 0.0}), 1e-4, 1e-6));
}

TEST(OriginalLoss, ElboIsNotReadAtWeightZero) {
  const auto losses = at::tensor({1.0, 3.0}), infinite = at::full({2}, INFINITY);
  EXPECT_NEAR(original_loss(losses, {}, infinite).item<double>(), 2.0, 1e-6);
  EXPECT_NEAR(original_loss(losses, {}, at::ones({2}), 1.0, 0.5).item<double>(), 3.0, 1e-6);
}

TEST(TrainingErrors, All) {
  expect_usage_error([] { parse_loss_type("l3"); }, "expected l1, l2 or huber");
  expect_usage_error([] { stratified_timestep(4, 4, 0.5, 1000); }, "index in 0..3");
  expect_usage_error([] { stratified_timestep(0, 4, 1.0, 1000); }, "number in [0, 1)");
}

}  // namespace
}  // namespace ldm
