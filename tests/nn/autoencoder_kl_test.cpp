#include "ldm/nn/autoencoder_kl.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "ldm/core/error.h"
#include "ldm/nn/pca.h"

namespace ldm {
namespace {

AutoencoderOptions small_autoencoder_kl(bool shortcut = false) {
  return {.z_channels = 4,
          .resolution = 16,
          .ch = 32,
          .ch_mult = {1, 1},
          .num_res_blocks = 1,
          .patch_size = 2,
          .linear_shortcut = shortcut};
}

TEST(DiagonalGaussian, ClosedForms) {
  const auto standard = DiagonalGaussian::from_moments(at::zeros({2, 6, 2, 2}));
  EXPECT_EQ(standard.kl().abs().max().item<float>(), 0.0F);
  const auto noise = at::randn({2, 3, 2, 2});
  EXPECT_TRUE(at::equal(standard.sample(noise), noise));

  const auto shifted =
      DiagonalGaussian::from_moments(at::cat({at::full({1, 1, 2, 2}, 2.0), at::zeros({1, 1, 2, 2})}, 1));
  EXPECT_FLOAT_EQ(shifted.kl().item<float>(), 4 * 0.5F * 4.0F);
}

TEST(DiagonalGaussian, ClampsTheLogVariance) {
  const auto p =
      DiagonalGaussian::from_moments(at::tensor({0.0, 0.0, 100.0, -100.0}, at::kFloat).view({1, 4, 1, 1}));
  EXPECT_EQ(p.logvar.flatten()[0].item<float>(), 20.0F);
  EXPECT_EQ(p.logvar.flatten()[1].item<float>(), -30.0F);
}

TEST(DiagonalGaussian, RefusesWrongShapes) {
  EXPECT_THROW(DiagonalGaussian::from_moments(at::zeros({1, 3, 2, 2})), Error);
  const auto p = DiagonalGaussian::from_moments(at::zeros({1, 4, 2, 2}));
  EXPECT_THROW(p.sample(at::zeros({1, 4, 2, 2})), Error);
}

TEST(AutoencoderKL, ShapesAndNoise) {
  AutoencoderKL model(small_autoencoder_kl(), /*embed_dim=*/5);
  model.eval();
  torch::NoGradGuard no_grad;
  const auto x = at::rand({2, 3, 16, 8}) * 2 - 1;
  EXPECT_EQ(model.downsampling(), 4);
  EXPECT_EQ(model.latent_channels(), 5);
  const auto mode = model.encode(x);
  EXPECT_EQ(mode.sizes(), at::IntArrayRef({2, 5, 4, 2}));
  EXPECT_EQ(model.decode(mode).sizes(), x.sizes());
  EXPECT_TRUE(at::equal(model.encode(x, at::zeros_like(mode)), mode));
  EXPECT_FALSE(at::equal(model.encode(x, at::ones_like(mode)), mode));
}

TEST(AutoencoderKL, StartsAsItsLinearShortcut) {
  AutoencoderKL model(small_autoencoder_kl(/*shortcut=*/true), /*embed_dim=*/4);
  const auto x = at::rand({8, 3, 16, 16}) * 2 - 1;
  const auto pca = fit_pca(x, {.patch = 4, .latent_channels = 4, .gamma = 0.5});
  model.shortcut()->assign(pca.code);
  torch::NoGradGuard no_grad;
  const auto p = model.posterior(x);
  EXPECT_TRUE(at::allclose(p.mean, pca.code.encode(x), 1e-5, 1e-6));
  EXPECT_TRUE(at::equal(p.logvar, at::full_like(p.logvar, -6.0)));
  EXPECT_TRUE(at::allclose(model.decode(p.mean), pca.code.decode(p.mean), 1e-5, 1e-6));
}

TEST(AutoencoderKL, TrainsBesideItsLinearShortcut) {
  AutoencoderKL model(small_autoencoder_kl(/*shortcut=*/true), /*embed_dim=*/4);
  const auto x = at::rand({2, 3, 16, 16}) * 2 - 1;
  (model.decode(model.encode(x)) - x).square().mean().backward();
  for (const auto& item : model.named_parameters()) {
    if (item.key() == "encoder.conv_out.weight" || item.key() == "decoder.conv_out.weight") {
      EXPECT_GT(item.value().grad().abs().max().item<float>(), 0.0F) << item.key();
    }
  }
}

TEST(AutoencoderKL, RefusesSingleMoments) {
  auto options = small_autoencoder_kl();
  options.double_z = false;
  EXPECT_THROW(AutoencoderKL(options, 4), Error);
  EXPECT_THROW(AutoencoderKL(small_autoencoder_kl(), 0), Error);
}

TEST(IdentityFirstStage, PassesOn) {
  const IdentityFirstStage stage(3);
  const auto x = at::randn({1, 3, 4, 4});
  EXPECT_TRUE(at::equal(stage.decode(stage.encode(x)), x));
  EXPECT_EQ(stage.downsampling(), 1);
}

}  // namespace
}  // namespace ldm
