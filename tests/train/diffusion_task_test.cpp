#include "ldm/train/diffusion_task.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "ldm/model/load_model.h"
#include "ldm/model/model_file.h"
#include "tests/train/tiny_task.h"

namespace ldm {
namespace {

class DiffusionTaskTest : public testing::Test {
 protected:
  void SetUp() override { write_tiny_pictures(folder_); }
  std::unique_ptr<TrainTask> make(std::vector<std::string> overrides = {}) const {
    return make_diffusion_task(tiny_run_config(folder_, kTinyDiffusion, std::move(overrides)), {}, {}, {});
  }

  TempFolder folder_;
};

// After the first step Adam's mean is (1 - beta1) times the gradient.
StateDict first_gradients(TrainTask& task) {
  task.step(0);
  StateDict out;
  const auto state = task.state();
  for (const auto& [name, tensor] : state.at("optimizer")) {
    if (name.ends_with(".exp_avg")) out[name] = tensor / 0.1;
  }
  return out;
}

TEST_F(DiffusionTaskTest, AccumulatedHalvesEqualTheWholeBatch) {
  const auto whole = first_gradients(*make());
  const auto halves = first_gradients(*make({"data.batch_size=4", "train.accumulate=2"}));
  ASSERT_EQ(whole.size(), halves.size());
  double largest = 0, difference = 0;
  for (const auto& [name, gradient] : whole) {
    largest = std::max(largest, gradient.abs().max().item<double>());
    difference = std::max(difference, (gradient - halves.at(name)).abs().max().item<double>());
  }
  EXPECT_GT(largest, 1e-3);
  EXPECT_LT(difference, 1e-5 * std::max(1.0, largest));
}

TEST_F(DiffusionTaskTest, LearnsTheTinySet) {
  const auto task = make({"train.steps=60", "model.base_learning_rate=0.002"});
  double early = 0, late = 0;
  for (int64_t step = 0; step < 60; ++step) {
    const double loss = task->step(step).at("loss");
    (step < 10 ? early : late) += step < 10 || step >= 50 ? loss / 10 : 0;
  }
  EXPECT_LT(late, 0.8 * early);
}

TEST_F(DiffusionTaskTest, KeepsScaleAndVocabularyInTheCheckpoint) {
  const auto task = make({"model.params.scale_by_std=true"});
  const auto state = task->state();
  const double scale = state.at("model").at("scale_factor").item<double>();
  EXPECT_GT(scale, 1.0);  // Pixels in [-1, 1] have a deviation below 1.
  const auto other = make({"model.params.scale_by_std=false"});
  EXPECT_EQ(other->state().at("model").at("scale_factor").item<double>(), 1.0);
  other->load_state(state);
  EXPECT_EQ(other->state().at("model").at("scale_factor").item<double>(), scale);
  auto changed = state;
  changed.at("model")["vocabulary"] = at::zeros({3}, at::kByte);
  EXPECT_TRUE(contains(error_of(ErrorKind::kData, [&] { other->load_state(changed); }), "captions"));
}

TEST_F(DiffusionTaskTest, ValidatesAndDrawsWithoutDropoutAndWithoutTrace) {
  const auto task = make({"data.held_out=0.3", "model.params.unet_config.params.dropout=0.5"});
  for (int64_t step = 0; step < 3; ++step) task->step(step);
  const double first = task->validate().at("loss");
  EXPECT_EQ(task->validate().at("loss"), first);
  const auto drawn = task->pictures().front().second;
  EXPECT_EQ(task->pictures().front().second.pixels, drawn.pixels);
  const auto again = make({"data.held_out=0.3", "model.params.unet_config.params.dropout=0.5"});
  for (int64_t step = 0; step < 3; ++step) again->step(step);
  EXPECT_EQ(task->step(3).at("loss"), again->step(3).at("loss")) << "measuring changed the training";
}

TEST_F(DiffusionTaskTest, ExportsAModelThatLoads) {
  const auto task = make();
  task->step(0);
  const auto path = folder_.path() / "model.safetensors";
  task->export_model(path);
  EXPECT_TRUE(read_model_file(path).first_stage.empty());
  EXPECT_THROW(load_latent_diffusion(folder_.path() / "none.safetensors"), Error);
  EXPECT_EQ(load_latent_diffusion(path)->options().image_size, 8);
}

TEST_F(DiffusionTaskTest, StartsFromAModelFile) {
  const auto first = make({"model.params.scale_by_std=true"});
  first->step(0);
  const auto path = folder_.path() / "model.safetensors";
  first->export_model(path);
  const auto file = read_model_file(path);
  const auto second =
      make({"model.params.ckpt_path=" + path.string(), "model.params.scale_by_std=true", "train.seed=99"});
  const auto state = second->state().at("model");
  for (const auto& [name, tensor] : file.tensors) EXPECT_TRUE(at::equal(state.at(name), tensor)) << name;
  EXPECT_EQ(state.at("scale_factor").item<double>(),
            first->state().at("model").at("scale_factor").item<double>());
}

TEST_F(DiffusionTaskTest, RefusesWhatDoesNotFit) {
  const auto refusal = [&](const std::string& change) {
    return error_of(ErrorKind::kUsage, [&] { make({change}); });
  };
  EXPECT_TRUE(contains(refusal("model.params.image_size=4"), "latents of 8 per side, got 4"));
  EXPECT_TRUE(contains(refusal("model.params.first_stage_config={target: vq_model}"), "first_stage_file"));
  EXPECT_TRUE(contains(refusal("model.params.cond_stage_config.params.vocab_size=big"), "vocab_size"));
  EXPECT_TRUE(contains(refusal("data.captions.dropout=2"), "dropout"));
}

}  // namespace
}  // namespace ldm
