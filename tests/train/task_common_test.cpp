#include "ldm/train/task_common.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "ldm/config/yaml.h"
#include "ldm/nn/layers.h"
#include "tests/data/temp_folder.h"

namespace ldm {
namespace {

TEST(SampleNoise, DoesNotDependOnTheBatch) {
  const auto whole = sample_noise(23, "noise", 7, 0, 6, {2, 3, 3});
  EXPECT_EQ(whole.sizes(), (std::vector<int64_t>{6, 2, 3, 3}));
  const auto first = sample_noise(23, "noise", 7, 0, 4, {2, 3, 3}),
             rest = sample_noise(23, "noise", 7, 4, 2, {2, 3, 3});
  EXPECT_TRUE(at::equal(whole, at::cat({first, rest})));
}

TEST(SampleNoise, DependsOnAllElse) {
  const auto base = sample_noise(23, "noise", 7, 0, 1, {4});
  EXPECT_FALSE(at::equal(base, sample_noise(24, "noise", 7, 0, 1, {4})));
  EXPECT_FALSE(at::equal(base, sample_noise(23, "posterior", 7, 0, 1, {4})));
  EXPECT_FALSE(at::equal(base, sample_noise(23, "noise", 8, 0, 1, {4})));
  EXPECT_FALSE(at::equal(base, sample_noise(23, "noise", 7, 1, 1, {4})));
}

TEST(SampleNoise, IsUnitNoise) {
  const auto many = sample_noise(23, "noise", 0, 0, 64, {16, 8, 8});
  EXPECT_NEAR(many.mean().item<double>(), 0, 0.02);
  EXPECT_NEAR(many.std().item<double>(), 1, 0.02);
}

DatasetPtr weighted(const std::vector<double>& weights) {
  std::vector<Example> examples;
  for (size_t i = 0; i < weights.size(); ++i) {
    Example example{.info = {}, .image = at::full({3, 2, 2}, static_cast<int64_t>(i), at::kByte)};
    example.info.id = std::to_string(i);
    example.info.weight = weights[i];
    examples.push_back(example);
  }
  return make_memory_dataset(std::move(examples));
}

TEST(MeasuringExamples, AreThoseOfTheLargestWeight) {
  const auto data = weighted({1, 0.5, 1, 0.5, 1});
  EXPECT_EQ(measuring_examples(*data, 10), (std::vector<int64_t>{0, 2, 4}));
}

TEST(MeasuringExamples, AreEvenlyTaken) {
  const auto data = weighted({1, 1, 1, 1, 1, 1, 1, 1});
  EXPECT_EQ(measuring_examples(*data, 4), (std::vector<int64_t>{0, 2, 4, 6}));
  EXPECT_EQ(measuring_examples(*data, 8).size(), 8u);
}

TEST(LoadPictures, GivesTheUnitRange) {
  const auto data = weighted({1, 1});
  const auto out = load_pictures(*data, {1, 0});
  EXPECT_EQ(out.sizes(), (std::vector<int64_t>{2, 3, 2, 2}));
  EXPECT_NEAR(out[0].max().item<double>(), 1 / 127.5 - 1, 1e-6);
  EXPECT_EQ(out[1].max().item<double>(), -1.0);
}

TEST(ConfigForModelFile, NamesNoPlaceOfThisMachine) {
  RunConfig config;
  config.data.path = "/home/me/pictures";
  config.model.params = parse_yaml(
      "{ckpt_path: /home/me/a, perceptual: /home/me/b, remap: /home/me/c, timesteps: 7, "
      "first_stage_config: {target: identity, params: {path: /home/me/d, ckpt_path: /home/me/e, embed_dim: "
      "3}}}",
      "test");
  const auto text = to_yaml(config_for_model_file(config));
  EXPECT_EQ(text.find("/home/me"), std::string::npos) << text;
  EXPECT_NE(text.find("timesteps: 7"), std::string::npos);
  EXPECT_NE(text.find("embed_dim: 3"), std::string::npos);
}

TEST(EvaluationScope, GivesBackWhatItFound) {
  const auto trains = std::make_shared<LinearModule>(2, 2, true),
             rests = std::make_shared<LinearModule>(2, 2, true);
  auto& a = *trains;
  auto& b = *rests;
  b.eval();
  {
    const EvaluationScope scope({&a, &b, nullptr});
    EXPECT_FALSE(a.is_training());
    EXPECT_FALSE(b.is_training());
  }
  EXPECT_TRUE(a.is_training());
  EXPECT_FALSE(b.is_training());
}

TEST(SeedDropout, IsAFunctionOfSeedAndStep) {
  const auto draw = [](uint64_t seed, int64_t step) {
    seed_dropout(seed, step);
    return at::rand({4});
  };
  EXPECT_TRUE(at::equal(draw(1, 5), draw(1, 5)));
  EXPECT_FALSE(at::equal(draw(1, 5), draw(1, 6)));
  EXPECT_FALSE(at::equal(draw(1, 5), draw(2, 5)));
}

TEST(TrainingDevice, KnowsItsNames) {
  EXPECT_TRUE(pick_training_device("cpu").is_cpu());
  EXPECT_TRUE(contains(error_of(ErrorKind::kUsage, [] { pick_training_device("gpu"); }), "got 'gpu'"));
}

}  // namespace
}  // namespace ldm
