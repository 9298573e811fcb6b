#include "ldm/train/run_config.h"

#include <gtest/gtest.h>

#include "tests/train/tiny_task.h"

namespace ldm {
namespace {

RunConfig load(const std::vector<std::string>& overrides) {
  const TempFolder folder;
  return tiny_run_config(folder, kTinyVq, overrides);
}

std::string refusal(const std::string& override_) {
  return error_of(ErrorKind::kUsage, [&] { load({override_}); });
}

TEST(RunConfig, ReadsTheFileAndKeepsDefaults) {
  const auto config = load({});
  EXPECT_EQ(config.model.target, "vq_model");
  EXPECT_EQ(config.train.steps, 25);
  EXPECT_EQ(config.train.accumulate, 1);
  EXPECT_EQ(config.data.held_out, 0.3);
}

TEST(RunConfig, OverridesGoFirst) {
  const auto config = load({"train.steps=7", "train.ema.decay=0.5", "model.base_learning_rate=2e-4"});
  EXPECT_EQ(config.train.steps, 7);
  EXPECT_EQ(config.train.ema.decay, 0.5);
  EXPECT_EQ(config.model.base_learning_rate, 2e-4);
}

TEST(RunConfig, NamesTheNearestKey) {
  EXPECT_TRUE(contains(refusal("train.stepz=7"), "steps"));
  EXPECT_TRUE(contains(refusal("dat.size=8"), "data"));
}

TEST(RunConfig, ChecksEveryRange) {
  const std::pair<const char*, const char*> cases[] = {
      {"model.base_learning_rate=0", "model.base_learning_rate"},
      {"data.size=4", "data.size"},
      {"data.size=5000", "data.size"},
      {"data.batch_size=0", "data.batch_size"},
      {"data.held_out=1", "data.held_out"},
      {"train.steps=0", "train.steps"},
      {"train.accumulate=0", "train.accumulate"},
      {"train.log_every=0", "train.log_every"},
      {"train.keep_checkpoints=0", "train.keep_checkpoints"},
      {"train.constant_fraction=1.5", "train.constant_fraction"},
      {"train.lr_floor=-1", "train.lr_floor"},
      {"train.warm_up_steps=-1", "train.warm_up_steps"},
      {"train.precision=fp8", "train.precision"},
      {"train.latent_cache=disk", "train.latent_cache"}};
  for (const auto& [change, key] : cases) EXPECT_TRUE(contains(refusal(change), key)) << change;
}

TEST(RunConfig, WantsAFolder) {
  const TempFolder folder;
  folder.write("run.yaml", kTinyVq);
  EXPECT_TRUE(contains(
      error_of(ErrorKind::kUsage, [&] { load_run_config(folder.path() / "run.yaml", {"data.path=\"\""}); }),
      "data.path"));
}

TEST(RunConfig, WantsAFile) {
  EXPECT_TRUE(
      contains(error_of(ErrorKind::kData, [] { load_run_config("/nowhere/run.yaml", {}); }), "/nowhere"));
}

}  // namespace
}  // namespace ldm
