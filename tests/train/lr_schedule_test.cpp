#include "ldm/train/lr_schedule.h"

#include <gtest/gtest.h>

#include "ldm/core/error.h"

namespace ldm {
namespace {

LambdaCyclesOptions two_cycles() {
  return {.warm_up_steps = {10, 5},
          .f_min = {0.1, 0.01},
          .f_max = {1.0, 0.5},
          .f_start = {0.0, 0.1},
          .cycle_lengths = {100, 200}};
}

template <typename Act>
void expect_usage(const std::string& part, Act act) {
  try {
    act();
    ADD_FAILURE() << "no error; expected: " << part;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

TEST(LrSchedule, WarmUpCosine) {
  const auto f = lambda_warm_up_cosine_schedule(
      {.warm_up_steps = 10, .lr_min = 0.01, .lr_max = 1.0, .lr_start = 0.001, .max_decay_steps = 110});
  EXPECT_DOUBLE_EQ(f(0), 0.001);
  EXPECT_DOUBLE_EQ(f(5), 0.001 + 0.999 * 0.5);
  EXPECT_DOUBLE_EQ(f(10), 1.0);
  EXPECT_NEAR(f(60), 0.505, 1e-12);
  EXPECT_NEAR(f(110), 0.01, 1e-12);
  EXPECT_NEAR(f(100000), 0.01, 1e-12);
}

TEST(LrSchedule, CosineCyclesEndInclusively) {
  const auto f = lambda_warm_up_cosine_schedule_2(two_cycles());
  EXPECT_DOUBLE_EQ(f(10), 1.0);
  EXPECT_NEAR(f(100), 0.1, 1e-12);          // Still the first cycle.
  EXPECT_DOUBLE_EQ(f(101), 0.1 + 0.4 / 5);  // Step 1 of the second.
  EXPECT_NEAR(f(300), 0.01, 1e-12);
  EXPECT_NEAR(f(5000), 0.01, 1e-12);  // Held.
}

TEST(LrSchedule, LinearJumpsAfterItsWarmUp) {
  const auto f = lambda_linear_schedule(two_cycles());
  EXPECT_DOUBLE_EQ(f(9), 0.9);
  EXPECT_DOUBLE_EQ(f(10), 0.1 + 0.9 * 0.9);
  EXPECT_DOUBLE_EQ(f(100), 0.1);
  EXPECT_DOUBLE_EQ(f(300), 0.01);
}

TEST(LrSchedule, ReleasedLinearConfigStaysAtOne) {
  const auto f = lambda_linear_schedule({{10000}, {1.0}, {1.0}, {1e-6}, {10000000000000}});
  EXPECT_DOUBLE_EQ(f(0), 1e-6);
  EXPECT_DOUBLE_EQ(f(10000), 1.0);
  EXPECT_DOUBLE_EQ(f(5000000), 1.0);
}

TEST(LrSchedule, WarmUpConstantCosine) {
  const auto f = warm_up_constant_cosine_schedule(
      {.warm_up_steps = 4, .constant_steps = 10, .decay_steps = 100, .floor = 0.2});
  EXPECT_DOUBLE_EQ(f(0), 0.25);
  EXPECT_DOUBLE_EQ(f(3), 1.0);
  EXPECT_DOUBLE_EQ(f(14), 1.0);
  EXPECT_NEAR(f(64), 0.6, 1e-12);
  EXPECT_NEAR(f(114), 0.2, 1e-12);
  EXPECT_NEAR(f(9999), 0.2, 1e-12);
  EXPECT_DOUBLE_EQ(warm_up_constant_cosine_schedule({})(123), 1.0);
}

TEST(LrSchedule, RefusesBadArguments) {
  expect_usage("LambdaWarmUpCosineScheduler: expected 0 <= warm_up_steps < length",
               [] { lambda_warm_up_cosine_schedule({.warm_up_steps = 10, .max_decay_steps = 10}); });
  auto short_list = two_cycles();
  short_list.f_max.pop_back();
  expect_usage("LambdaWarmUpCosineScheduler2: expected lists",
               [&] { lambda_warm_up_cosine_schedule_2(short_list); });
  expect_usage("LambdaLinearScheduler: expected lists", [] { lambda_linear_schedule({}); });
  auto long_warm_up = two_cycles();
  long_warm_up.warm_up_steps[1] = 200;
  expect_usage("warm_up_steps 200 and length 200", [&] { lambda_linear_schedule(long_warm_up); });
  expect_usage("lengths >= 0", [] { warm_up_constant_cosine_schedule({.warm_up_steps = -1}); });
  expect_usage("floor in [0, 1]", [] { warm_up_constant_cosine_schedule({.floor = 2}); });
}

}  // namespace
}  // namespace ldm
