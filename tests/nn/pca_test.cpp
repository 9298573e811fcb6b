#include "ldm/nn/pca.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "ldm/core/error.h"

namespace ldm {
namespace {

torch::Tensor pictures() {
  // Smooth, so that few components hold most of the variance.
  return at::upsample_bilinear2d(at::rand({16, 3, 4, 4}) * 2 - 1, {16, 16}, /*align_corners=*/false);
}

TEST(Pca, AllComponentsReconstructExactly) {
  const auto x = at::rand({16, 3, 8, 8}) * 2 - 1;
  const auto fit = fit_pca(x, {.patch = 2, .latent_channels = 12});
  EXPECT_TRUE(at::allclose(fit.code.decode(fit.code.encode(x)), x, 1e-4, 1e-4));
  EXPECT_NEAR(fit.explained, 1.0, 1e-9);
  EXPECT_GT(reconstruction_psnr(fit.code, x), 80.0);
}

TEST(Pca, LatentsHaveMeanZeroAndTheAskedDeviations) {
  const auto x = pictures();
  for (const double gamma : {0.0, 0.5, 1.0}) {
    const auto fit = fit_pca(x, {.patch = 4, .latent_channels = 6, .gamma = gamma});
    const auto z = fit.code.encode(x).to(at::kDouble);
    EXPECT_LT(z.mean({0, 2, 3}).abs().max().item<double>(), 1e-4);
    const auto deviation = z.square().mean({0, 2, 3}).sqrt();
    EXPECT_NEAR(deviation.square().mean().item<double>(), 1.0, 1e-4);
    const auto wanted = fit.stddev.pow(gamma);
    EXPECT_TRUE(at::allclose(deviation / deviation[0], wanted / wanted[0], 1e-3, 1e-4)) << gamma;
  }
}

TEST(Pca, TheScaleDoesNotChangeTheReconstruction) {
  const auto x = pictures();
  const auto plain = fit_pca(x, {.patch = 4, .latent_channels = 6, .gamma = 1.0}).code;
  const auto white = fit_pca(x, {.patch = 4, .latent_channels = 6, .gamma = 0.0}).code;
  EXPECT_TRUE(at::allclose(plain.decode(plain.encode(x)), white.decode(white.encode(x)), 1e-3, 1e-4));
}

TEST(Pca, MoreComponentsAreBetterAndBatchesDoNotMatter) {
  const auto x = pictures();
  PatchPca pca(3, 4);
  pca.add(x.slice(0, 0, 5));
  pca.add(x.slice(0, 5));
  const auto few = pca.fit(2, 0.5), many = pca.fit(8, 0.5);
  EXPECT_LT(few.explained, many.explained);
  EXPECT_LT(reconstruction_psnr(few.code, x), reconstruction_psnr(many.code, x));
  EXPECT_TRUE(at::allclose(many.stddev, fit_pca(x, {.patch = 4, .latent_channels = 8}).stddev, 1e-6, 1e-9));
}

TEST(Pca, ConstantPicturesGiveFiniteCodes) {
  const auto x = at::full({4, 3, 8, 8}, 0.25);
  const auto fit = fit_pca(x, {.patch = 4, .latent_channels = 4, .gamma = 0.0});
  EXPECT_TRUE(at::allclose(fit.code.decode(fit.code.encode(x)), x, 1e-3, 1e-3));
}

TEST(Pca, RefusesWhatItCannotFit) {
  EXPECT_THROW(PatchPca(3, 0), Error);
  EXPECT_THROW(PatchPca(3, 4).fit(4, 0.5), Error);
  PatchPca pca(3, 4);
  EXPECT_THROW(pca.add(at::zeros({1, 3, 6, 8})), Error);
  EXPECT_THROW(pca.add(at::zeros({1, 1, 8, 8})), Error);
  pca.add(at::zeros({1, 3, 8, 8}));
  EXPECT_THROW(pca.fit(49, 0.5), Error);
  EXPECT_THROW(fit_pca(at::zeros({3, 8, 8})), Error);
  EXPECT_THROW(reconstruction_psnr({}, at::zeros({0, 3, 8, 8})), Error);
}

TEST(LinearShortcut, TakesACodeOfItsShapeOnly) {
  LinearShortcut shortcut(3, 3, 4, 4);
  const auto x = pictures();
  const auto code = fit_pca(x, {.patch = 4, .latent_channels = 4}).code;
  shortcut.assign(code);
  EXPECT_TRUE(at::equal(shortcut.encode(x), code.encode(x)));
  EXPECT_THROW(shortcut.assign(fit_pca(x, {.patch = 4, .latent_channels = 5}).code), Error);
  EXPECT_THROW(LinearShortcut(3, 3, 0, 4), Error);
  EXPECT_EQ(shortcut.named_parameters()["encode.weight"].sizes(), at::IntArrayRef({4, 3, 4, 4}));
}

}  // namespace
}  // namespace ldm
