// What runs do by name that the original did: learned log-variance, averages, timesteps, scale.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "ldm/train/diffusion_task.h"
#include "tests/train/tiny_task.h"

namespace ldm {
namespace {

class OriginalWays : public testing::Test {
 protected:
  void SetUp() override { write_tiny_pictures(folder_); }
  std::unique_ptr<TrainTask> make(std::vector<std::string> overrides = {}) const {
    return make_diffusion_task(tiny_run_config(folder_, kTinyDiffusion, std::move(overrides)), {}, {}, {});
  }

  TempFolder folder_;
};

TEST_F(OriginalWays, LogvarIsLearnedSavedAndGoesOn) {
  const std::vector<std::string> ways{"model.params.learn_logvar=true", "model.params.logvar_init=0.5",
                                      "model.params.original_elbo_weight=0.001"};
  const auto task = make(ways);
  const auto first = task->step(0);
  EXPECT_NE(first.at("loss"), first.at("loss_simple"));
  EXPECT_TRUE(first.contains("loss_gamma") && first.contains("loss_vlb"));
  auto state = task->state();
  for (auto& [group, tensors] : state) {
    for (auto& [name, tensor] : tensors) tensor = tensor.clone();
  }
  EXPECT_GT((state.at("model").at("logvar") - 0.5).abs().max().item<double>(), 1e-6);
  const auto other = make(ways);
  other->load_state(state);
  EXPECT_EQ(other->step(1).at("loss"), task->step(1).at("loss"));
  state.at("model").erase("logvar");
  EXPECT_TRUE(contains(error_of(ErrorKind::kFormat, [&] { other->load_state(state); }), "logvar"));
}

TEST_F(OriginalWays, AveragesCanCountBatchesAndLeaveOutTheCondition) {
  const auto task = make({"train.accumulate=3", "train.ema.per_batch=true", "train.ema.network_only=true"});
  task->step(0);
  const auto ema = task->state().at("ema");
  EXPECT_EQ(ema.at("num_updates").item<int64_t>(), 3);
  for (const auto& [name, tensor] : ema) EXPECT_FALSE(name.starts_with("cond_stage_model.")) << name;
}

TEST_F(OriginalWays, WithoutUseEmaTheWeightsThemselvesAreExported) {
  const auto task = make({"model.params.use_ema=false"});
  for (int64_t step = 0; step < 3; ++step) task->step(step);
  const auto state = task->state();
  for (const auto& [name, tensor] : state.at("ema")) {
    if (!name.starts_with("model.")) continue;
    EXPECT_TRUE(at::equal(tensor, state.at("model").at(name))) << name;
  }
}

TEST_F(OriginalWays, TimestepsAndScaleHaveTheirNames) {
  // Before the first update the output is zero and the loss the noise's own, whatever the timesteps.
  const auto loss = [&](const std::string& way) {
    const auto task = make({way});
    task->step(0);
    return task->step(1).at("loss");
  };
  EXPECT_NE(loss("train.timesteps=uniform"), loss("train.timesteps=stratified"));
  const auto scale = [&](const std::string& way) {
    const auto task = make({"model.params.scale_by_std=true", way});
    return task->state().at("model").at("scale_factor").item<double>();
  };
  EXPECT_NE(scale("train.scale_from=first_batch"), scale("train.scale_from=data"));
}

TEST_F(OriginalWays, RefusesWhatDoesNotGoTogether) {
  const auto refusal = [&](std::vector<std::string> ways) {
    return error_of(ErrorKind::kUsage, [&] { make(std::move(ways)); });
  };
  EXPECT_TRUE(contains(refusal({"train.loss_weight.kind=min_snr", "model.params.original_elbo_weight=0.1"}),
                       "train.loss_weight.kind"));
  EXPECT_TRUE(contains(refusal({"model.params.monitor=val/fid"}), "model.params.monitor"));
  EXPECT_TRUE(contains(refusal({"train.timesteps=odd"}), "train.timesteps"));
  EXPECT_TRUE(contains(refusal({"train.scale_from=all"}), "train.scale_from"));
  EXPECT_TRUE(contains(refusal({"train.discriminator_pass=two"}), "train.discriminator_pass"));
  EXPECT_TRUE(contains(refusal({"train.ema.kind=mean"}), "train.ema.kind"));
}

}  // namespace
}  // namespace ldm
