#include "ldm/nn/autoencoder_vq.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "ldm/core/error.h"

namespace ldm {
namespace {

AutoencoderOptions small_autoencoder_vq() {
  return {
      .double_z = false, .z_channels = 4, .resolution = 16, .ch = 32, .ch_mult = {1, 1}, .num_res_blocks = 1};
}

TEST(VectorQuantizer, FindsTheNearestCode) {
  const auto codebook = at::tensor({0.0, 0.0, 10.0, 0.0, 0.0, 10.0}, at::kFloat).view({3, 2});
  const auto points = at::tensor({1.0, 1.0, 9.0, 4.0, 2.0, 8.0}, at::kFloat).view({3, 2});
  EXPECT_TRUE(at::equal(nearest_codes(points, codebook), at::tensor({0, 1, 2}, at::kLong)));
}

TEST(VectorQuantizer, ReturnsCodesAndPassesGradientsStraightThrough) {
  const VectorQuantizer quantizer({.n_e = 16, .e_dim = 4, .sane_index_shape = true});
  const auto z = at::randn({2, 4, 3, 5}).requires_grad_(true);
  const auto q = quantizer.forward(z);
  EXPECT_EQ(q.indices.sizes(), at::IntArrayRef({2, 3, 5}));
  EXPECT_TRUE(at::allclose(q.latents, quantizer.codebook_entry(q.indices, 2, 3, 5), 1e-5, 1e-6));
  q.latents.sum().backward();
  EXPECT_TRUE(at::equal(z.grad(), at::ones_like(z)));
}

TEST(VectorQuantizer, BetaWeighsTheTermThatLegacyNames) {
  VectorQuantizer legacy({.n_e = 4, .e_dim = 2, .beta = 0.0, .legacy = true});
  const auto z = at::randn({1, 2, 2, 2}).requires_grad_(true);
  legacy.forward(z).loss.backward();
  EXPECT_GT(z.grad().abs().max().item<float>(), 0.0F);
  EXPECT_EQ(legacy.codebook().grad().abs().max().item<float>(), 0.0F);
}

TEST(VectorQuantizer, RefusesWrongShapes) {
  const VectorQuantizer quantizer({.n_e = 4, .e_dim = 2});
  EXPECT_THROW(quantizer.forward(at::zeros({1, 3, 2, 2})), Error);
  EXPECT_THROW(quantizer.codebook_entry(at::zeros({3}, at::kLong), 1, 2, 2), Error);
  EXPECT_THROW(VectorQuantizer({.n_e = 0, .e_dim = 2}), Error);
}

// Four far apart clusters of 50 points each.
torch::Tensor clusters() {
  const auto centres = at::tensor({-8.0, -8.0, -8.0, 8.0, 8.0, -8.0, 8.0, 8.0}, at::kFloat).view({4, 2});
  return centres.repeat_interleave(50, 0) + 0.1 * at::randn({200, 2});
}

TEST(Kmeans, LowersTheErrorAndDependsOnTheSeedAlone) {
  const auto points = clusters();
  const auto error = [&](const torch::Tensor& codes) {
    return (points - codes.index_select(0, nearest_codes(points, codes))).square().mean().item<double>();
  };
  const auto start = kmeans_codebook(points, 8, 0, Random(1, "kmeans"));
  const auto end = kmeans_codebook(points, 8, 20, Random(1, "kmeans"));
  EXPECT_LT(error(end), error(start));
  EXPECT_TRUE(at::equal(end, kmeans_codebook(points, 8, 20, Random(1, "kmeans"))));
  EXPECT_FALSE(at::equal(start, kmeans_codebook(points, 8, 0, Random(2, "kmeans"))));
  EXPECT_THROW(kmeans_codebook(points, 201, 1, Random(1)), Error);
}

TEST(RestartDeadCodes, MovesOnlyTheUnused) {
  const auto points = clusters();
  const auto codebook = at::full({3, 2}, 100.0).requires_grad_(true);
  const auto usage = count_codes(at::tensor({1, 1, 1}, at::kLong), 3);
  EXPECT_EQ(restart_dead_codes(codebook, usage, points, 1.0, Random(1)), 2);
  EXPECT_EQ(codebook[1][0].item<float>(), 100.0F);
  EXPECT_LT(codebook[0].abs().max().item<float>(), 20.0F);
  EXPECT_EQ(restart_dead_codes(codebook, at::ones({3}), points, 1.0, Random(1)), 0);
  EXPECT_THROW(restart_dead_codes(codebook, at::ones({2}), points, 1.0, Random(1)), Error);
  EXPECT_THROW(restart_dead_codes(codebook, at::ones({3}), at::ones({5, 3}), 1.0, Random(1)), Error);
}

TEST(VQModel, EncodesBeforeAndDecodesAfterQuantisation) {
  VQModel model(small_autoencoder_vq(), {.n_e = 8, .e_dim = 3});
  model.eval();
  torch::NoGradGuard no_grad;
  const auto z = model.encode(at::rand({2, 3, 8, 8}));
  EXPECT_EQ(z.sizes(), at::IntArrayRef({2, 3, 4, 4}));
  EXPECT_EQ(model.latent_channels(), 3);
  const auto codes = model.quantize(z).latents;
  EXPECT_TRUE(at::equal(model.decode(z), model.decode_quantized(codes)));
  EXPECT_FALSE(at::equal(model.decode(z), model.decode_quantized(z)));
}

TEST(VQModel, RefusesTwoMoments) {
  auto options = small_autoencoder_vq();
  options.double_z = true;
  EXPECT_THROW(VQModel(options, {.n_e = 8, .e_dim = 3}), Error);
}

}  // namespace
}  // namespace ldm
