#include "ldm/diffusion/parameterization.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/diffusion/expect_usage_error.h"

namespace ldm {
namespace {

// The exact network of data that is always `clean`.
Network exact(const torch::Tensor& clean, const NoiseSchedule& schedule, Prediction p,
              torch::Tensor* seen_t = nullptr) {
  return [=](const torch::Tensor& x, const torch::Tensor& t) {
    if (seen_t != nullptr) *seen_t = t;
    const double s = schedule.t_to_sigma(t[0].item<double>());
    const double a = 1 / (1 + s * s);
    const auto eps = (x - std::sqrt(a) * clean) / std::sqrt(1 - a);
    if (p == Prediction::kX0) return clean.expand_as(x).clone();
    return p == Prediction::kEps ? eps : std::sqrt(a) * eps - std::sqrt(1 - a) * clean;
  };
}

TEST(DiscreteDenoiser, EveryParameterisationFindsTheCleanLatents) {
  const NoiseSchedule schedule;
  const auto clean = at::randn({1, 2, 3, 3}, at::kDouble);
  const auto x = clean + 3.0 * at::randn({2, 2, 3, 3}, at::kDouble);
  for (const auto p : {Prediction::kEps, Prediction::kX0, Prediction::kV}) {
    const auto denoise = discrete_denoiser(exact(clean, schedule, p), schedule, p);
    const auto error = (denoise(x, at::full({2}, 3.0, at::kDouble)) - clean).abs().max().item<double>();
    EXPECT_LT(error, 1e-9) << prediction_name(p);
  }
}

TEST(DiscreteDenoiser, AsksAtTheTimestepOfSigma) {
  const NoiseSchedule schedule;
  torch::Tensor t;
  const auto denoise = discrete_denoiser(exact(at::zeros({1, 1, 1, 1}), schedule, Prediction::kEps, &t),
                                         schedule, Prediction::kEps);
  denoise(at::zeros({2, 1, 1, 1}), at::tensor({schedule.sigma(801), schedule.t_to_sigma(3.5)}, at::kDouble));
  EXPECT_EQ(t.scalar_type(), at::kFloat);
  EXPECT_EQ(t[0].item<float>(), 801.0f);
  EXPECT_EQ(t[1].item<float>(), 3.5f);
}

TEST(DiscreteDenoiser, PureNoiseSaysNothingOfNoisePredictions) {
  const NoiseSchedule schedule;
  const auto clean = at::full({1, 1, 2, 2}, 0.5, at::kDouble), x = at::randn({1, 1, 2, 2}, at::kDouble);
  const auto infinite = at::full({1}, std::numeric_limits<double>::infinity(), at::kDouble);
  // At zero signal v is minus the clean latents.
  const Network network = [&](const torch::Tensor& in, const torch::Tensor& t) {
    EXPECT_TRUE(at::equal(in, x));
    EXPECT_EQ(t[0].item<double>(), 999.0);
    return -clean;
  };
  EXPECT_TRUE(at::equal(discrete_denoiser(network, schedule, Prediction::kV)(x, infinite), clean));
  expect_usage_error([&] { discrete_denoiser(network, schedule, Prediction::kEps)(x, infinite); },
                     "cannot start from pure noise");
}

TEST(FlowDenoiser, FindsTheCleanLatents) {
  const auto clean = at::randn({2, 1, 2, 2}, at::kDouble), noise = at::randn({2, 1, 2, 2}, at::kDouble);
  const auto denoise =
      flow_denoiser([&](const torch::Tensor&, const torch::Tensor&) { return noise - clean; });
  EXPECT_TRUE(at::allclose(denoise(clean + 3.0 * noise, at::full({2}, 3.0, at::kDouble)), clean));
  EXPECT_TRUE(at::allclose(denoise(noise, at::full({2}, std::numeric_limits<double>::infinity())), clean));
  expect_usage_error([] { flow_denoiser({}, 0.0); }, "time scale above 0");
}

TEST(ToX0, AgreesWithTheDefinitions) {
  const auto x0 = at::randn({2, 3}, at::kDouble), noise = at::randn({2, 3}, at::kDouble);
  const auto a = at::tensor({0.9, 0.2}, at::kDouble).view({2, 1});
  const auto x_t = a.sqrt() * x0 + (1 - a).sqrt() * noise;
  const auto v = a.sqrt() * noise - (1 - a).sqrt() * x0;
  EXPECT_TRUE(at::allclose(to_x0(Prediction::kEps, noise, x_t, a), x0));
  EXPECT_TRUE(at::allclose(to_x0(Prediction::kV, v, x_t, a), x0));
  EXPECT_TRUE(at::allclose(to_x0(Prediction::kX0, x0, x_t, a), x0));
}

// With D exact for N(0, sigma_data^2) data the raw network must be zero.
TEST(EdmDenoiser, ZeroNetworkIsTheGaussianDenoiser) {
  const auto denoise =
      edm_denoiser([](const torch::Tensor& x, const torch::Tensor&) { return at::zeros_like(x); }, 0.5);
  const auto x = at::randn({2, 1, 2, 2}, at::kDouble);
  const auto want = x * (0.25 / (0.25 + 4.0));
  EXPECT_TRUE(at::allclose(denoise(x, at::full({2}, 2.0, at::kDouble)), want));
}

TEST(ParsePrediction, AliasesAndErrors) {
  EXPECT_EQ(parse_prediction("epsilon"), Prediction::kEps);
  EXPECT_EQ(parse_prediction("sample"), Prediction::kX0);
  EXPECT_EQ(parse_prediction("v_prediction"), Prediction::kV);
  expect_usage_error([] { parse_prediction("esp"); }, "expected eps, x0 or v, got 'esp'");
  expect_usage_error([] { edm_denoiser({}, 0.0); }, "sigma_data above 0");
}

}  // namespace
}  // namespace ldm
