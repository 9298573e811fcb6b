#include "ldm/train/codebook.h"

#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <gtest/gtest.h>

#include "ldm/train/autoencoder_task.h"
#include "tests/train/tiny_task.h"

namespace ldm {
namespace {

constexpr int64_t kCodes = 16;

std::shared_ptr<VQModel> tiny_vq() {
  at::manual_seed(3);
  AutoencoderOptions o;
  o.double_z = false;
  o.z_channels = 4;
  o.resolution = 8;
  o.ch = 32;
  o.ch_mult = {1};
  o.num_res_blocks = 1;
  o.attn_type = "none";
  o.patch_size = 4;
  auto model = std::make_shared<VQModel>(o, VectorQuantizerOptions{.n_e = kCodes, .e_dim = 4});
  model->eval();
  return model;
}

// Pictures of noise: latents all over the place.
DatasetPtr noise_pictures() {
  at::manual_seed(4);
  std::vector<Example> examples;
  for (int k = 0; k < 64; ++k) {
    Example example{.info = {}, .image = at::randint(256, {3, 8, 8}, at::kLong).to(at::kByte)};
    example.info.id = std::to_string(k);
    examples.push_back(example);
  }
  return make_memory_dataset(std::move(examples));
}

class CodebookTest : public testing::Test {
 protected:
  double used() const { return keeper_.used_fraction(*data_, {0, 9, 18, 27, 36, 45, 54, 63, 1, 10, 19, 28}); }
  torch::Tensor codes() const { return model_->codebook().detach(); }

  std::shared_ptr<VQModel> model_ = tiny_vq();
  DatasetPtr data_ = noise_pictures();
  CodebookKeeper keeper_{*model_, data_, at::kCPU, 23, 10};
};

TEST_F(CodebookTest, StartsInUse) {
  codes().add_(50);  // All far away: one code is the nearest for all.
  EXPECT_LE(used(), 2.0 / kCodes);
  keeper_.start();
  EXPECT_GE(used(), 0.75);
}

TEST_F(CodebookTest, StartsWithFewerLatentsThanCodes) {
  const auto few = make_subset(data_, {0, 1});  // Eight latents.
  CodebookKeeper(*model_, few, at::kCPU, 23, 10).start();
  EXPECT_TRUE(at::isfinite(codes()).all().item<bool>());
  EXPECT_GE(used(), 0.25);
}

TEST_F(CodebookTest, MovesUnusedCodesAndTheirAverages) {
  keeper_.start();
  codes().narrow(0, 1, kCodes - 1).add_(50);
  const auto living = codes()[0].clone();
  auto average = at::zeros_like(codes()), moment = at::ones_like(codes());
  EXPECT_EQ(keeper_.restart(10, average, {moment}), kCodes - 1);
  EXPECT_GE(used(), 0.5);
  EXPECT_TRUE(at::equal(codes()[0], living));
  EXPECT_TRUE(at::equal(average.narrow(0, 1, kCodes - 1), codes().narrow(0, 1, kCodes - 1)));
  EXPECT_EQ(average[0].abs().sum().item<double>(), 0.0);
  EXPECT_EQ(moment.sum().item<double>(), 4.0);  // Only the living code's row is left.
}

TEST_F(CodebookTest, IsAFunctionOfSeedAndStep) {
  const auto result = [&](int64_t step) {
    codes().fill_(50);
    auto average = at::zeros_like(codes());
    keeper_.restart(step, average, {});
    return codes().clone();
  };
  EXPECT_TRUE(at::equal(result(10), result(10)));
  EXPECT_FALSE(at::equal(result(10), result(20)));
}

TEST_F(CodebookTest, IsDueEverySoManySteps) {
  EXPECT_FALSE(keeper_.due(0));
  EXPECT_FALSE(keeper_.due(9));
  EXPECT_TRUE(keeper_.due(10));
  EXPECT_FALSE(CodebookKeeper(*model_, data_, at::kCPU, 23, 0).due(10));
  EXPECT_TRUE(contains(error_of(ErrorKind::kUsage, [&] { CodebookKeeper(*model_, data_, at::kCPU, 23, -1); }),
                       "codebook_restart"));
}

TEST(CodebookInTraining, DoesNotCollapse) {
  const TempFolder folder;
  write_tiny_pictures(folder);
  const auto config = tiny_run_config(folder, kTinyVq);
  const auto task = make_autoencoder_task(config, {}, {}, {});
  const double first = task->step(0).at("loss");
  double last = first;
  for (int64_t step = 1; step < 25; ++step) last = task->step(step).at("loss");
  EXPECT_LT(last, first);
  const auto figures = task->validate();
  ASSERT_TRUE(figures.contains("codes_used"));
  EXPECT_GE(figures.at("codes_used"), 0.5);
}

}  // namespace
}  // namespace ldm
