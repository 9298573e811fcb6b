#include "ldm/train/lr_schedule_config.h"

#include <gtest/gtest.h>

#include "ldm/config/yaml.h"
#include "tests/data/temp_folder.h"

namespace ldm {
namespace {

LrSchedule from_yaml(const std::string& text, int64_t steps = 100, int64_t images = 10) {
  return make_lr_schedule(parse_yaml(text, "test"), "scheduler_config", steps, images);
}

TEST(LrScheduleConfig, KnowsTheOriginalsClassesAndTheirShortNames) {
  const std::string params =
      ", params: {warm_up_steps: [10], cycle_lengths: [100], f_start: [0.0], f_max: [1.0], f_min: [0.1]}}";
  for (const auto* name : {"ldm.lr_scheduler.LambdaLinearScheduler", "lambda_linear"}) {
    EXPECT_DOUBLE_EQ(from_yaml("{target: " + std::string(name) + params)(100), 0.1);
  }
  EXPECT_DOUBLE_EQ(from_yaml("{target: lambda_warm_up_cosine_2" + params)(55), 0.55);
  EXPECT_DOUBLE_EQ(
      from_yaml("{target: ldm.lr_scheduler.LambdaWarmUpCosineScheduler, params: {warm_up_steps: 10, "
                "lr_start: 0.5, lr_max: 1.0, lr_min: 0.0, max_decay_steps: 20}}")(5),
      0.75);
}

TEST(LrScheduleConfig, KnowsDiffusersNames) {
  EXPECT_DOUBLE_EQ(from_yaml("{target: linear}")(25), 0.75);  // Over the run's length.
  EXPECT_DOUBLE_EQ(from_yaml("{target: linear, params: {num_training_steps: 50}}")(25), 0.5);
  EXPECT_DOUBLE_EQ(from_yaml("{target: cosine, params: {num_warmup_steps: 50}}")(25), 0.5);
  EXPECT_NEAR(from_yaml("{target: cosine}")(50), 0.5, 1e-12);
  EXPECT_NEAR(from_yaml("{target: cosine_with_restarts, params: {num_cycles: 2}}")(75), 0.5, 1e-12);
  EXPECT_DOUBLE_EQ(from_yaml("{target: cosine_with_restarts}")(100), 0.0);
  EXPECT_DOUBLE_EQ(from_yaml("{target: polynomial, params: {power: 2, lr_end: 0}}")(50), 0.25);
  EXPECT_DOUBLE_EQ(from_yaml("{target: constant_with_warmup, params: {num_warmup_steps: 10}}")(5), 0.5);
  EXPECT_DOUBLE_EQ(from_yaml("{target: constant}")(5), 1.0);
}

TEST(LrScheduleConfig, Edm2FallsWithTheRootOfTheBatches) {
  const auto f = from_yaml("{target: edm2, params: {ref_batches: 100, rampup_Mimg: 0.0005}}");
  EXPECT_DOUBLE_EQ(f(25), 0.5);  // 250 of 500 pictures.
  EXPECT_DOUBLE_EQ(f(100), 1.0);
  EXPECT_DOUBLE_EQ(f(400), 0.5);
}

TEST(LrScheduleConfig, NamesWhatItKnows) {
  const auto refusal = [](const std::string& text) {
    return error_of(ErrorKind::kUsage, [&] { from_yaml(text); });
  };
  EXPECT_TRUE(contains(refusal("{target: cosin}"), "cosine"));
  EXPECT_TRUE(contains(refusal("{target: cosine, params: {cycles: 2}}"), "scheduler_config.params"));
  EXPECT_TRUE(contains(refusal("{target: linear, params: {num_warmup_steps: -1}}"), ">= 0"));
  EXPECT_TRUE(contains(refusal("{target: edm2, params: {ref_batches: -1}}"), "ref_batches"));
}

RunConfig run_of(int64_t steps, int64_t warm_up) {
  RunConfig config;
  config.model.base_learning_rate = 0.5;
  config.train.steps = steps;
  config.train.warm_up_steps = warm_up;
  config.train.constant_fraction = 0.3;
  config.train.lr_floor = 0.02;
  return config;
}

TEST(TrainingLearningRate, RisesStaysAndFalls) {
  const auto rate = training_learning_rate(run_of(100, 10), {});
  EXPECT_NEAR(rate(0), 0.05, 1e-9);
  EXPECT_EQ(rate(9), 0.5);
  EXPECT_EQ(rate(29), 0.5);
  EXPECT_LT(rate(32), 0.5);
  EXPECT_NEAR(rate(99), 0.01, 0.005);
  EXPECT_GT(training_learning_rate(run_of(1, 100), {})(0), 0.0);  // Shorter than the warm-up.
}

// lr = base_learning_rate * batch_size * accumulate_grad_batches.
TEST(TrainingLearningRate, ScalesAsTheOriginal) {
  auto config = run_of(100, 10);
  config.train.scale_lr = true;
  config.data.batch_size = 8;
  config.train.accumulate = 3;
  EXPECT_DOUBLE_EQ(training_learning_rate(config, parse_yaml("{target: constant}", "test"))(7), 12.0);
}

}  // namespace
}  // namespace ldm
