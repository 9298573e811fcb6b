#include "ldm/train/autoencoder_loss.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/softplus.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "ldm/core/error.h"

namespace ldm {
namespace {

// Pictures that are a function of their indices, in [-1, 1].
torch::Tensor wave(int64_t seed, at::IntArrayRef shape = {2, 3, 16, 16}) {
  return (at::arange(c10::multiply_integers(shape), torch::kFloat) *
          (0.37 + 0.11 * static_cast<double>(seed)))
      .sin()
      .view(shape);
}

PerceptualFn mean_square() {
  return [](const torch::Tensor& x, const torch::Tensor& y) {
    return (x - y).square().mean({1, 2, 3}, true);
  };
}

template <typename Options>
Options small(int64_t disc_start) {
  Options options;
  options.disc_start = disc_start;
  options.disc_num_layers = 1;
  options.disc_ndf = 8;
  return options;
}

LpipsWithDiscriminatorOptions small_kl(int64_t disc_start) {
  return small<LpipsWithDiscriminatorOptions>(disc_start);
}

// A reconstruction that depends on a last layer, as the losses need it.
struct Sample {
  torch::Tensor images = wave(0);
  torch::Tensor hidden = wave(1);
  torch::Tensor last = (wave(2, {3, 3, 3, 3}) * 0.2).requires_grad_();
  torch::Tensor kl = at::ones({2}) * 3;
  torch::Tensor reconstruction() const { return at::conv2d(hidden, last, {}, 1, 1); }
};

double number(const torch::Tensor& t) { return t.item<double>(); }

TEST(LpipsWithDiscriminator, SumsOverThePictureAndDividesByTheBatch) {
  const Sample s;
  auto options = small_kl(10);
  options.perceptual_weight = 0.5;
  options.logvar_init = 0.3;
  options.kl_weight = 0.01;
  const LpipsWithDiscriminator loss(options, mean_square());
  const auto rec = s.reconstruction();
  const auto terms = loss.generator_step(s.images, rec, s.kl, s.last, 9);
  const auto map = (s.images - rec).abs() + 0.5 * mean_square()(s.images, rec);
  const double nll = number((map / std::exp(0.3) + 0.3).sum() / 2);
  EXPECT_NEAR(number(terms.log.at("nll_loss")), nll, 1e-3);
  EXPECT_NEAR(number(terms.log.at("rec_loss")), number(map.mean()), 1e-5);
  EXPECT_NEAR(number(terms.log.at("kl_loss")), 3.0, 1e-6);
  EXPECT_NEAR(number(terms.loss), nll + 0.03, 1e-3);
  EXPECT_EQ(number(terms.log.at("disc_factor")), 0.0);
  EXPECT_GT(number(terms.log.at("d_weight")), 0.0) << "computed before disc_start too, as in the original";
}

TEST(LpipsWithDiscriminator, WeightsCountInTheTotalOnly) {
  const Sample s;
  const LpipsWithDiscriminator loss(small_kl(10), mean_square());
  const auto plain = loss.generator_step(s.images, s.reconstruction(), s.kl, s.last, 0);
  const auto doubled =
      loss.generator_step(s.images, s.reconstruction(), s.kl, s.last, 0, at::full({2, 1, 1, 1}, 2.0));
  EXPECT_EQ(number(doubled.log.at("nll_loss")), number(plain.log.at("nll_loss")));
  EXPECT_NEAR(number(doubled.loss) - number(plain.loss), number(plain.log.at("nll_loss")), 1e-2);
}

TEST(AdversarialLoss, AdaptiveWeightIsTheRatioOfGradientNorms) {
  const Sample s;
  auto options = small_kl(0);
  options.perceptual_weight = 0;
  options.disc_weight = 0.5;
  options.disc_factor = 0.8;
  const LpipsWithDiscriminator loss(options, {});
  const auto terms = loss.generator_step(s.images, s.reconstruction(), s.kl, s.last, 0);

  const auto norm_of = [&](const torch::Tensor& value) {
    s.last.mutable_grad().reset();
    value.backward();
    return number(s.last.grad().norm());
  };
  const double nll = norm_of((s.images - s.reconstruction()).abs().sum() / 2);
  const double g = norm_of(-loss.discriminator().forward(s.reconstruction()).mean());
  const double weight = 0.5 * std::min(nll / (g + 1e-4), 1e4);
  EXPECT_NEAR(number(terms.log.at("d_weight")) / weight, 1.0, 1e-4);
  const double want = number(terms.log.at("nll_loss")) + 3.0 + weight * 0.8 * number(terms.log.at("g_loss"));
  EXPECT_NEAR(number(terms.loss) / want, 1.0, 1e-4);
}

TEST(AdversarialLoss, GeneratorStepLeavesNoGradientInTheDiscriminator) {
  const Sample s;
  const LpipsWithDiscriminator loss(small_kl(0), mean_square());
  loss.generator_step(s.images, s.reconstruction(), s.kl, s.last, 0).loss.backward();
  for (const auto& parameter : loss.discriminator().parameters()) {
    EXPECT_FALSE(parameter.grad().defined());
    EXPECT_TRUE(parameter.requires_grad());
  }
}

TEST(AdversarialLoss, ValidationHasNoAdaptiveWeight) {
  const Sample s;
  LpipsWithDiscriminator loss(small_kl(0), mean_square());
  loss.eval();
  torch::NoGradGuard no_grad;
  const auto terms = loss.generator_step(s.images, s.reconstruction(), s.kl, s.last, 5);
  EXPECT_EQ(number(terms.log.at("d_weight")), 0.0);
}

TEST(AdversarialLoss, HingeAndVanilla) {
  const Sample s;
  for (const std::string name : {"hinge", "vanilla"}) {
    auto options = small_kl(5);
    options.disc_loss = name;
    LpipsWithDiscriminator loss(options, mean_square());
    loss.eval();
    const auto real = loss.discriminator().forward(s.images),
               fake = loss.discriminator().forward(s.reconstruction());
    const auto want = name == "hinge" ? at::relu(1 - real).mean() + at::relu(1 + fake).mean()
                                      : at::softplus(-real).mean() + at::softplus(fake).mean();
    EXPECT_NEAR(number(loss.discriminator_step(s.images, s.reconstruction(), 5).loss), number(want) / 2,
                1e-5);
    EXPECT_EQ(number(loss.discriminator_step(s.images, s.reconstruction(), 4).loss), 0.0);
  }
}

TEST(AdversarialLoss, DiscriminatorStepDoesNotReachTheDecoder) {
  const Sample s;
  const LpipsWithDiscriminator loss(small_kl(0), mean_square());
  loss.discriminator_step(s.images, s.reconstruction(), 0).loss.backward();
  EXPECT_FALSE(s.last.grad().defined());
}

TEST(AdversarialLoss, LazyDiscriminatorStaysOutUntilItCounts) {
  const Sample s;
  auto options = small_kl(3);
  options.lazy_discriminator = true;
  const LpipsWithDiscriminator loss(options, mean_square());
  EXPECT_FALSE(loss.discriminator_active(2));
  EXPECT_TRUE(loss.discriminator_active(3));
  EXPECT_EQ(number(loss.generator_step(s.images, s.reconstruction(), s.kl, s.last, 2).log.at("d_weight")),
            0.0);
  EXPECT_GT(number(loss.generator_step(s.images, s.reconstruction(), s.kl, s.last, 3).log.at("d_weight")),
            0.0);
}

TEST(AdversarialLoss, ConditionGoesIntoTheDiscriminator) {
  const Sample s;
  auto options = small_kl(0);
  options.disc_conditional = true;
  options.disc_in_channels = 4;
  const LpipsWithDiscriminator loss(options, mean_square());
  const auto cond = at::zeros({2, 1, 16, 16});
  EXPECT_GT(number(loss.discriminator_step(s.images, s.reconstruction(), 0, cond).loss), 0.0);
  EXPECT_THROW(loss.discriminator_step(s.images, s.reconstruction(), 0), Error);
}

TEST(VqLpipsWithDiscriminator, TakesMeans) {
  const Sample s;
  auto options = small<VqLpipsWithDiscriminatorOptions>(10);
  options.codebook_weight = 2.0;
  const VqLpipsWithDiscriminator loss(options, mean_square());
  const auto rec = s.reconstruction();
  const auto terms = loss.generator_step(s.images, rec, at::full({2}, 0.25), s.last, 0);
  const double p = number(mean_square()(s.images, rec).mean());
  const double nll = number((s.images - rec).abs().mean()) + p;
  EXPECT_NEAR(number(terms.log.at("p_loss")), p, 1e-5);
  EXPECT_NEAR(number(terms.loss), nll + 0.5, 1e-5);
  EXPECT_NEAR(number(terms.log.at("quant_loss")), 0.25, 1e-7);
}

TEST(VqLpipsWithDiscriminator, SquaredPixelsAndGradients) {
  const Sample s;
  auto options = small<VqLpipsWithDiscriminatorOptions>(10);
  options.perceptual_weight = 0;
  options.pixel_loss = "l2";
  options.gradient_weight = 0.5;
  const VqLpipsWithDiscriminator loss(options, {});
  const auto rec = s.reconstruction();
  const double want =
      number((s.images - rec).square().mean() + 0.5 * gradient_distance(s.images, rec).mean());
  EXPECT_NEAR(number(loss.generator_step(s.images, rec, at::zeros({}), s.last, 0).loss), want, 1e-5);
}

TEST(GradientDistance, IgnoresOffsetsAndMeasuresSlopes) {
  const auto x = wave(0);
  EXPECT_NEAR(number(gradient_distance(x, x + 0.5).max()), 0.0, 1e-6);
  // A slope of 1 per pixel along the width: 1, 2 and 4 at the three scales, mean 7/3.
  const auto ramp = at::arange(16, torch::kFloat).expand({1, 3, 16, 16});
  const auto distance = gradient_distance(ramp, at::zeros({1, 3, 16, 16}));
  EXPECT_EQ(distance.sizes(), (std::vector<int64_t>{1, 1, 1, 1}));
  EXPECT_NEAR(number(distance.sum()), 7.0 / 3.0, 1e-6);
  EXPECT_THROW(gradient_distance(at::zeros({1, 3, 4, 4}), at::zeros({1, 3, 4, 4})), Error);
}

TEST(AdversarialLoss, KeysAreTheOriginals) {
  const LpipsWithDiscriminator loss(small_kl(0), mean_square());
  EXPECT_TRUE(loss.named_parameters().contains("logvar"));
  EXPECT_TRUE(loss.named_parameters().contains("discriminator.main.0.weight"));
  EXPECT_FALSE(loss.named_parameters()["logvar"].requires_grad());
}

template <typename Act>
void expect_loss_error(const std::string& part, Act act) {
  try {
    act();
    ADD_FAILURE() << "no error; expected: " << part;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

TEST(AdversarialLoss, RefusesBadArguments) {
  expect_loss_error("disc_start >= 0", [] { LpipsWithDiscriminator({}, mean_square()); });
  auto options = small_kl(0);
  expect_loss_error("no perceptual network", [&] { LpipsWithDiscriminator(options, {}); });
  options.disc_loss = "wgan";
  expect_loss_error("disc_loss hinge or vanilla, got 'wgan'",
                    [&] { LpipsWithDiscriminator(options, mean_square()); });
  options = small_kl(0);
  options.pixel_loss = "l3";
  expect_loss_error("pixel_loss l1 or l2, got 'l3'", [&] { LpipsWithDiscriminator(options, mean_square()); });
  const Sample s;
  const LpipsWithDiscriminator loss(small_kl(0), mean_square());
  expect_loss_error("one shape", [&] {
    loss.generator_step(s.images, at::zeros({1, 3, 16, 16}), s.kl, s.last, 0);
  });
}

}  // namespace
}  // namespace ldm
