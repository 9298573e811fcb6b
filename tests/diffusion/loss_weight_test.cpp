#include "ldm/diffusion/loss_weight.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/diffusion/expect_usage_error.h"

namespace ldm {
namespace {

LossWeightOptions of(const char* kind) {
  LossWeightOptions o;
  o.kind = kind;
  return o;
}

TEST(LossWeights, SimpleIsOne) {
  for (const double w : loss_weights(NoiseSchedule(), Prediction::kEps, of("simple"))) EXPECT_EQ(w, 1.0);
}

TEST(LossWeights, MinSnrIsOneWeightOfX0ForAllPredictions) {
  const NoiseSchedule s;
  const auto snr = signal_to_noise(s);
  const auto eps = loss_weights(s, Prediction::kEps, of("min_snr")),
             x0 = loss_weights(s, Prediction::kX0, of("min_snr"));
  const auto v = loss_weights(s, Prediction::kV, of("min_snr"));
  for (size_t t = 0; t < snr.size(); ++t) {
    EXPECT_NEAR(x0[t], std::min(snr[t], 5.0), 1e-12);
    EXPECT_NEAR(eps[t] * snr[t], x0[t], 1e-9);
    EXPECT_NEAR(v[t] * (snr[t] + 1), x0[t], 1e-9);
  }
}

TEST(LossWeights, FiniteWithZeroTerminalSnr) {
  ScheduleOptions o;
  o.zero_terminal_snr = true;
  const NoiseSchedule s(o);
  for (const auto p : {Prediction::kEps, Prediction::kX0, Prediction::kV}) {
    for (const double w : loss_weights(s, p, of("min_snr"))) ASSERT_TRUE(std::isfinite(w));
  }
}

TEST(LossWeights, LvlbCopiesTheSecondEntryToTheFirst) {
  const auto w = loss_weights(NoiseSchedule(), Prediction::kEps, of("lvlb"));
  EXPECT_EQ(w[0], w[1]);
  EXPECT_TRUE(std::isfinite(w[0]));
}

TEST(LossWeightErrors, NamesAndPredictions) {
  const NoiseSchedule s;
  expect_usage_error([&] { loss_weights(s, Prediction::kEps, of("min_snt")); }, "did you mean 'min_snr'");
  expect_usage_error([&] { loss_weights(s, Prediction::kEps, of("truncated_snr")); }, "predicts x0, got eps");
  expect_usage_error([&] { loss_weights(s, Prediction::kV, of("sigmoid")); }, "predicts eps, got v");
}

}  // namespace
}  // namespace ldm
