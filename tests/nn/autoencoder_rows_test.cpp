// encode_within() and decode_within(): whatever the memory and the bands, what encode() and decode() give.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "ldm/core/error.h"
#include "ldm/core/stopped.h"
#include "ldm/nn/autoencoder_kl.h"
#include "ldm/nn/autoencoder_vq.h"
#include "ldm/nn/tiny_autoencoder.h"

namespace ldm {
namespace {

// Every layer does something, group norms included.
template <typename Stage>
std::shared_ptr<Stage> stirred(std::shared_ptr<Stage> stage) {
  const torch::NoGradGuard no_grad;
  for (auto& p : stage->parameters()) p.add_(at::randn_like(p) * 0.05);
  stage->eval();
  return stage;
}

AutoencoderOptions rows_options() {
  return {.z_channels = 4, .resolution = 32, .ch = 32, .ch_mult = {1, 2, 3}, .num_res_blocks = 1};
}

std::shared_ptr<FirstStage> kl_stage(const AutoencoderOptions& options) {
  return stirred(std::make_shared<AutoencoderKL>(options, 4));
}

double relative_error(const torch::Tensor& got, const torch::Tensor& want) {
  EXPECT_EQ(got.sizes(), want.sizes());
  return ((got - want).abs().max() / want.abs().max()).item<double>();
}

// Memory from "nothing is kept" over "some maps are" to "all are", bands of odd sizes.
void expect_equal(const FirstStage& stage, const std::string& what) {
  const torch::NoGradGuard no_grad;
  const int64_t f = stage.downsampling();
  const auto images = at::randn({2, 3, 14 * f, 6 * f});
  const auto latents = at::randn({2, stage.latent_channels(), 14, 6});
  const auto encoded = stage.encode(images), decoded = stage.decode(latents);
  for (const int64_t memory : {int64_t{1}, int64_t{300} << 10, int64_t{2} << 20}) {
    for (const int64_t band : {2, 7, 64}) {
      const CodingLimits limits{.memory = memory, .band = band};
      EXPECT_LT(relative_error(stage.encode_within(images, limits), encoded), 2e-5)
          << what << ", encoding, memory " << memory << ", bands of " << band;
      EXPECT_LT(relative_error(stage.decode_within(latents, limits), decoded), 2e-5)
          << what << ", decoding, memory " << memory << ", bands of " << band;
    }
  }
}

class AutoencoderRows : public testing::Test {
 protected:
  void SetUp() override { at::manual_seed(11); }
};

TEST_F(AutoencoderRows, EqualTheWhole) {
  auto o = rows_options();
  expect_equal(*kl_stage(o), "kl");
  o.attn_resolutions = {16};
  o.num_res_blocks = 2;
  expect_equal(*kl_stage(o), "attention in a level");
  o = rows_options();
  o.resamp_with_conv = false;
  o.attn_type = "linear";
  o.tanh_out = true;
  expect_equal(*kl_stage(o), "linear attention, plain resampling, tanh");
  o = rows_options();
  o.double_z = false;
  o.z_channels = 3;
  expect_equal(*stirred(std::make_shared<VQModel>(o, VectorQuantizerOptions{.n_e = 16, .e_dim = 3})), "vq");
}

TEST_F(AutoencoderRows, EqualTheWholeForPatchesAndShortcuts) {
  auto o = rows_options();
  o.ch_mult = {1, 1};
  o.patch_size = 2;
  o.mid_attn = false;
  o.linear_shortcut = true;
  expect_equal(*kl_stage(o), "patches");
}

TEST_F(AutoencoderRows, EqualTheWholeWithTheKernelsOfInference) {
  auto o = rows_options();
  const auto stage = kl_stage(o);
  prepare_for_inference(*stage);
  expect_equal(*stage, "prepared");
}

TEST_F(AutoencoderRows, OfTinyAutoencodersReachFarEnough) {
  const torch::NoGradGuard no_grad;
  const auto stage = stirred(std::make_shared<TinyAutoencoder>(TinyAutoencoderOptions{}));
  const auto images = at::rand({1, 3, 432, 16}), latents = at::randn({1, 4, 54, 2});
  const CodingLimits limits{.memory = 1, .band = 5};
  EXPECT_LT(relative_error(stage->encode_within(images, limits), stage->encode(images)), 2e-5);
  EXPECT_LT(relative_error(stage->decode_within(latents, limits), stage->decode(latents)), 2e-5);
}

TEST_F(AutoencoderRows, SplitBatchesToo) {
  const torch::NoGradGuard no_grad;
  const auto stage = kl_stage(rows_options());
  const auto latents = at::randn({5, 4, 4, 4});
  // Room for two pictures, but not for five.
  const CodingLimits limits{.memory = 1 << 20};
  EXPECT_LT(relative_error(stage->decode_within(latents, limits), stage->decode(latents)), 2e-5);
}

TEST_F(AutoencoderRows, StopAndRefuse) {
  const torch::NoGradGuard no_grad;
  const auto stage = kl_stage(rows_options());
  const auto latents = at::randn({1, 4, 8, 8});
  const CodingLimits stopped{.memory = 1};
  stopped.stop.request();
  EXPECT_THROW(stage->decode_within(latents, stopped), Stopped);
  EXPECT_THROW(stage->decode_within(latents, {.memory = 1, .band = 1}), Error);
  EXPECT_THROW(stage->encode_within(at::zeros({1, 3, 32, 32}), {.memory = 1, .band = -1}), Error);
}

}  // namespace
}  // namespace ldm
