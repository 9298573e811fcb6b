#include "ldm/diffusion/guidance.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "ldm/diffusion/gradient_guidance.h"
#include "tests/diffusion/expect_usage_error.h"

namespace ldm {
namespace {

TEST(Guidance, OneCallWithTheUnconditionFirst) {
  int calls = 0;
  const Network both = [&](const torch::Tensor& x, const torch::Tensor& t) {
    ++calls;
    EXPECT_EQ(x.size(0), 4);
    EXPECT_EQ(t.size(0), 4);
    return at::cat({at::zeros({2, 1}), at::ones({2, 1})});
  };
  const Network cond = [](const torch::Tensor&, const torch::Tensor&) -> torch::Tensor {
    ADD_FAILURE() << "asked for the condition alone";
    return {};
  };
  const auto out = guided_network(both, cond, 3.0)(at::zeros({2, 1}), at::zeros({2}));
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(at::equal(out, at::full({2, 1}, 3.0)));
}

const Denoiser kPlusOne = [](const torch::Tensor& x, const torch::Tensor&) { return x + 1; };
// Rows of the first half (no condition) and of the others differ.
const Denoiser kHalves = [](const torch::Tensor& x, const torch::Tensor&) {
  return at::cat({x.chunk(2)[0] * 0.5, x.chunk(2)[1] * 2.0});
};
const Denoiser kNever = [](const torch::Tensor&, const torch::Tensor&) -> torch::Tensor {
  ADD_FAILURE() << "asked for both";
  return {};
};

TEST(Guidance, ScaleOneAsksForTheConditionAlone) {
  const auto out = guided_denoiser(kNever, kPlusOne, {.scale = 1.0})(at::zeros({2, 1}), at::zeros({2}));
  EXPECT_TRUE(at::equal(out, at::ones({2, 1})));
}

TEST(Guidance, OutsideTheIntervalTheConditionAlone) {
  const auto denoise = guided_denoiser(kNever, kPlusOne, {.scale = 3.0, .interval = {0.5, 2.0}});
  for (const double sigma : {0.5, 2.1})
    EXPECT_TRUE(at::equal(denoise(at::zeros({2, 1}), at::full({2}, sigma)), at::ones({2, 1})));
}

TEST(Guidance, RescaleOfTheRawOutputKeepsItsSpread) {
  const auto x = at::randn({2, 3, 4, 4}, at::kDouble), sigma = at::full({2}, 2.0, at::kDouble);
  const Denoiser cond = [](const torch::Tensor& at, const torch::Tensor&) { return at * 2.0; };
  for (const auto p : {Prediction::kEps, Prediction::kV}) {
    const auto scaling = output_scaling(p);
    const auto guided = guided_denoiser(kHalves, cond, {.scale = 5.0, .rescale = 1.0}, scaling)(x, sigma);
    const auto spread = scaling.output(x, guided, 2.0).flatten(1).std(1);
    EXPECT_TRUE(at::allclose(spread, scaling.output(x, cond(x, sigma), 2.0).flatten(1).std(1)));
  }
}

TEST(Guidance, ApgWithoutLimitsIsPlainGuidance) {
  const auto x = at::randn({2, 3, 4, 4}, at::kDouble), sigma = at::full({2}, 2.0, at::kDouble);
  const auto apg =
      guided_denoiser(kHalves, kPlusOne, {.scale = 4.0, .apg = true, .apg_options = {.eta = 1.0}});
  const auto plain = guided_denoiser(kHalves, kPlusOne, {.scale = 4.0});
  EXPECT_TRUE(at::allclose(apg(x, sigma), plain(x, sigma)));
}

// Data N(0, 1): log p(y = "x0 is near 1") pulls the estimate there.
TEST(GradientGuidance, ImageGuidanceMovesTowardsThePicture) {
  const Denoiser gaussian = [](const torch::Tensor& x, const torch::Tensor& sigma) {
    return x / (1 + sigma.square()).view({-1, 1, 1, 1});
  };
  const auto target = at::full({1, 1, 2, 2}, 1.0, at::kDouble);
  const ImageGuide guide{[](const torch::Tensor& z) { return z * 2; },
                         gaussian_distance(target, [](const torch::Tensor& p) { return p; })};
  const auto x = at::zeros({1, 1, 2, 2}, at::kDouble), sigma = at::full({1}, 1.0, at::kDouble);
  const auto out = image_guided_denoiser(gaussian, guide, 0.5)(x, sigma);
  // d/dx of -(2 x / 2 - 1)^2 / 2 at 0 is 1 an element; times scale and sigma^2.
  EXPECT_TRUE(at::allclose(out, at::full_like(out, 0.5)));
}

TEST(GuidanceErrors, WaysExcludeEachOther) {
  expect_usage_error([] { guided_denoiser(kHalves, kPlusOne, {.zero_star = true, .apg = true}); },
                     "at most one");
  expect_usage_error([] { guided_denoiser(kHalves, kPlusOne, {.scale = std::nan("")}); },
                     "a scale of -10000 to 10000, got nan");
  expect_usage_error(
      [] {
        guided_denoiser(kHalves, kPlusOne, {.interval = {5, 1}});
      },
      "LOW <= HIGH, got 5 and 1");
  expect_usage_error([] { guided_denoiser(kHalves, kPlusOne, {.rescale = 2.0}); }, "a rescale of 0 to 1");
  expect_usage_error([] { dynamic_threshold(at::zeros({1, 2}), 0.0); }, "ratio in (0, 1]");
  expect_usage_error([] { interval_of_steps({1.0, 0.0}, 0.5, 0.2); }, "0 <= start <= stop <= 1");
}

}  // namespace
}  // namespace ldm
