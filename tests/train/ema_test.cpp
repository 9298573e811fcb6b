#include "ldm/train/ema.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "ldm/core/error.h"
#include "ldm/train/ema_profile.h"

namespace ldm {
namespace {

NamedParameters one(float value) { return {{"w", at::full({2}, value)}}; }
float first(const torch::Tensor& t) { return t.data_ptr<float>()[0]; }

template <typename Act>
void expect_ema_error(ErrorKind kind, const std::string& part, Act act) {
  try {
    act();
    ADD_FAILURE() << "no error; expected: " << part;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind);
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

TEST(LitEma, FollowsTheFormula) {
  const auto parameters = one(1.0F);
  LitEma ema(parameters, {.decay = 0.5});
  double want = 1.0;
  for (int n = 1; n <= 20; ++n) {
    parameters[0].second.fill_(n);
    ema.update();
    const double d = std::min(0.5, (1.0 + n) / (10.0 + n));
    want -= (1 - d) * (want - n);
    EXPECT_NEAR(ema.last_decay(), d, 1e-7);
    EXPECT_NEAR(first(ema.shadow().at("w")), want, 1e-5);
  }
  EXPECT_EQ(ema.num_updates(), 20);
}

TEST(LitEma, ConstantDecay) {
  const auto parameters = one(0.0F);
  LitEma ema(parameters, {.decay = 0.75, .use_num_updates = false});
  parameters[0].second.fill_(4.0F);
  ema.update();
  EXPECT_FLOAT_EQ(first(ema.shadow().at("w")), 1.0F);
}

TEST(LitEma, AveragesHalfPrecisionInFloat32) {
  const NamedParameters parameters{{"w", at::full({2}, 1.0F).to(torch::kBFloat16)}};
  LitEma ema(parameters, {.decay = 0.999, .use_num_updates = false});
  parameters[0].second.fill_(2.0F);
  ema.update();
  EXPECT_EQ(ema.shadow().at("w").scalar_type(), torch::kFloat);
  EXPECT_NEAR(first(ema.shadow().at("w")), 1.001, 1e-6);
}

TEST(LitEma, ResumesBitForBit) {
  const auto a = one(1.0F), b = one(5.0F);
  LitEma whole(a), resumed(b, {.decay = 0.5});
  for (int n = 0; n < 6; ++n) {
    if (n == 3) resumed.load_state(whole.state());
    a[0].second.fill_(0.1F * static_cast<float>(n));
    b[0].second.copy_(a[0].second);
    whole.update();
    if (n >= 3) resumed.update();
  }
  for (const auto& [name, value] : whole.state())
    EXPECT_TRUE(at::equal(value, resumed.state().at(name))) << name;
}

TEST(LitEma, SwapLendsTheAveragesAndGivesTheParametersBack) {
  const auto parameters = one(1.0F);
  LitEma ema(parameters);
  parameters[0].second.fill_(3.0F);
  {
    const auto swap = ema.swap();
    EXPECT_EQ(first(parameters[0].second), 1.0F);
    expect_ema_error(ErrorKind::kUsage, "update() while", [&] { ema.update(); });
    expect_ema_error(ErrorKind::kUsage, "swap() while", [&] { (void)ema.swap(); });
  }
  EXPECT_EQ(first(parameters[0].second), 3.0F);
  ema.update();
}

TEST(LitEma, RefusesBadArguments) {
  expect_ema_error(ErrorKind::kUsage, "decay in [0, 1]", [] { LitEma(one(1), {.decay = 1.5}); });
  LitEma ema(one(1.0F));
  auto state = ema.state();
  state["w"] = at::zeros({3});
  expect_ema_error(ErrorKind::kFormat, "expected shape [2] for 'w'", [&] { ema.load_state(state); });
  state.erase("w");
  expect_ema_error(ErrorKind::kFormat, "expected 'w'", [&] { ema.load_state(state); });
  state = ema.state();
  state["v"] = at::zeros({1});
  expect_ema_error(ErrorKind::kFormat, "unexpected 'v'", [&] { ema.load_state(state); });
}

TEST(LitEma, OtherKindsDifferInTheDecay) {
  const auto parameters = one(1.0F);
  LitEma power(parameters, {.kind = "power", .sigma_rel = 0.1}, 8);
  power.update();
  EXPECT_EQ(power.last_decay(), 0.0);  // An average of one value is that value.
  power.update();
  EXPECT_NEAR(power.last_decay(), std::pow(0.5, 1 + power_exponent(0.1)), 1e-7);
  LitEma half(parameters, {.kind = "half_life", .half_life = 1000, .ramp_up = 0.5}, 100);
  half.update();
  EXPECT_NEAR(half.last_decay(), 0.25, 1e-7);  // 100 pictures, a half-life of 50.
}

}  // namespace
}  // namespace ldm
