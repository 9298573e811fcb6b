#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "ldm/config/yaml.h"
#include "ldm/model/load_model.h"
#include "ldm/model/model_file.h"
#include "ldm/train/diffusion_task.h"
#include "tests/train/tiny_scenes.h"

namespace ldm {
namespace {

class TaskTrainingTest : public testing::Test {
 protected:
  void SetUp() override { write_tiny_scenes(folder_); }

  RunConfig config(const std::string& yaml, std::vector<std::string> overrides = {}) const {
    folder_.write("run.yaml", yaml);
    overrides.push_back("data.path=" + folder_.string());
    return load_run_config(folder_.path() / "run.yaml", overrides);
  }
  std::unique_ptr<TrainTask> make(const std::string& yaml, std::vector<std::string> overrides = {}) const {
    return make_diffusion_task(config(yaml, std::move(overrides)), {}, {}, {});
  }
  std::string refusal(const std::string& yaml, const std::string& change, ErrorKind kind) const {
    return error_of(kind, [&] { make(yaml, {change}); });
  }

  TempFolder folder_;
};

std::string yaml_of(const std::string& kind) {
  for (const auto& task : tiny_tasks()) {
    if (kind == task.kind) return task.yaml;
  }
  return {};
}

TEST_F(TaskTrainingTest, EachTaskIsTrainedMeasuredDrawnAndExported) {
  for (const auto& tiny : tiny_tasks()) {
    SCOPED_TRACE(tiny.kind);
    const auto task = make(tiny.yaml);
    const double first = task->step(0).at("loss");
    EXPECT_TRUE(std::isfinite(first) && first > 0) << first;
    task->step(1);
    EXPECT_GT(task->validate().at("loss"), 0);
    EXPECT_EQ(task->validate().at("loss"), task->validate().at("loss"));
    const auto grid = task->pictures().front().second;
    EXPECT_EQ(grid.width, 2 * 18 + 2);  // Two held-out pictures.
    EXPECT_EQ(grid.height, tiny.grid_rows * 18 + 2);

    const auto path = folder_.path() / "model.safetensors";
    task->export_model(path);
    const auto text = to_yaml(read_model_file(path).config);
    EXPECT_TRUE(contains(text, std::string("kind: ") + tiny.kind)) << text;
    EXPECT_FALSE(contains(text, folder_.string())) << text;
    EXPECT_EQ(load_latent_diffusion(path)->options().image_size, 16);
  }
}

TEST_F(TaskTrainingTest, ResumedTasksEqualUnbrokenOnes) {
  for (const auto& tiny : tiny_tasks()) {
    SCOPED_TRACE(tiny.kind);
    const std::vector<std::string> mirrored{"data.flip=true", "train.accumulate=2"};
    const auto unbroken = make(tiny.yaml, mirrored), first = make(tiny.yaml, mirrored),
               second = make(tiny.yaml, mirrored);
    for (int64_t step = 0; step < 4; ++step) unbroken->step(step);
    for (int64_t step = 0; step < 2; ++step) first->step(step);
    second->load_state(first->state());
    for (int64_t step = 2; step < 4; ++step) second->step(step);
    const auto expected = unbroken->state(), got = second->state();
    for (const auto& [name, tensor] : expected.at("model"))
      EXPECT_TRUE(at::equal(tensor, got.at("model").at(name))) << name;
  }
}

TEST_F(TaskTrainingTest, ConditionsMatter) {
  // The same draws with their layouts and without. A fresh network says nothing yet, so the first steps
  // agree.
  const std::string fast = "model.base_learning_rate=0.01";
  const auto with = make(yaml_of("layout"), {fast, "data.task.dropout=0"}),
             without = make(yaml_of("layout"), {fast, "data.task.dropout=1"});
  double difference = 0;
  for (int64_t step = 0; step < 5; ++step)
    difference = std::abs(with->step(step).at("loss") - without->step(step).at("loss"));
  EXPECT_GT(difference, 1e-6);
}

TEST_F(TaskTrainingTest, NamesOfTheDataGoIntoTheModel) {
  const auto exported = [&](const std::string& kind) {
    const auto path = folder_.path() / "model.safetensors";
    make(yaml_of(kind))->export_model(path);
    return read_model_file(path).config;
  };
  const auto layout = exported("layout");
  EXPECT_EQ(layout.find_path("data.task.categories.1")->text(), "blue");
  EXPECT_EQ(layout.find_path("data.task.no_classes")->text(), "2");
  EXPECT_EQ(exported("segmentation").find_path("data.task.table.2")->text(), "3 wall");
  make(yaml_of("super_resolution"), {"data.task.downscale_f=2"})
      ->export_model(folder_.path() / "model.safetensors");
  EXPECT_EQ(load_latent_diffusion(folder_.path() / "model.safetensors")->options().upscale_factor, 2);
}

TEST_F(TaskTrainingTest, RefusesFilesThatAreNotThere) {
  const auto layout = yaml_of("layout"), maps = yaml_of("segmentation");
  EXPECT_TRUE(contains(refusal(layout, "data.task.annotations=a.json", ErrorKind::kData),
                       "expected a COCO instances file at " + (folder_.path() / "a.json").string()));
  EXPECT_TRUE(contains(refusal(layout, "data.task.held_out_annotations=b.json", ErrorKind::kData), "b.json"));
  EXPECT_TRUE(contains(refusal(layout, "data.task.min_objects_per_image=5", ErrorKind::kData), "5 to 30"));
  EXPECT_TRUE(contains(refusal(maps, "data.task.label_table=c.txt", ErrorKind::kData), "c.txt"));
  EXPECT_TRUE(contains(refusal(maps, "data.task.labels=nowhere", ErrorKind::kData), "nowhere"));
  EXPECT_TRUE(
      contains(refusal(yaml_of("retrieval"), "data.task.embeddings=d.safetensors", ErrorKind::kData), "d.s"));
  for (const auto& tiny : tiny_tasks()) {
    folder_.write("run.yaml", tiny.yaml);
    const auto lost = load_run_config(folder_.path() / "run.yaml", {"data.path=/nowhere/at/all"});
    EXPECT_TRUE(contains(error_of(ErrorKind::kData, [&] { make_diffusion_task(lost, {}, {}, {}); }),
                         "/nowhere/at/all"))
        << tiny.kind;
  }
}

TEST_F(TaskTrainingTest, RefusesWhatDoesNotFit) {
  const auto usage = [&](const std::string& kind, const std::string& change) {
    return refusal(yaml_of(kind), change, ErrorKind::kUsage);
  };
  EXPECT_TRUE(contains(usage("segmentation", "model.params.unet_config.params.in_channels=7"),
                       "in_channels: expected 5, 3 of the latents and 2 of the condition, got 7"));
  EXPECT_TRUE(contains(usage("segmentation", "model.params.cond_stage_config.params.in_channels=4"),
                       "does not fit data.task.kind segmentation"));
  EXPECT_TRUE(
      contains(usage("inpainting", "data.task={kind: pictures}"),
               "does not fit data.task.kind pictures: picture condition: every sample needs a picture"));
  EXPECT_TRUE(
      contains(usage("super_resolution", "data.task.enlarge=false"), "a map of 4x4, the latents are 16x16"));
  EXPECT_TRUE(
      contains(usage("layout", "model.params.cond_stage_config.params.vocab_size=99"), "tokens go up to 99"));
  EXPECT_TRUE(contains(usage("layout", "model.params.unet_config.params.context_dim=16"), "context"));
  EXPECT_TRUE(contains(usage("layout", "data.task.dropout=1.5"), "data.task.dropout"));
  EXPECT_TRUE(contains(usage("layout", "data.task.categories=[dog]"), "data.task.categories"));
  EXPECT_TRUE(contains(usage("layout", "data.task.kind=layuot"), "did you mean 'layout'"));
  EXPECT_TRUE(contains(usage("layout", "data.task.strokes=thick"), "strokes"));
  EXPECT_TRUE(
      contains(usage("retrieval",
                     "model.params={timesteps: 50, image_size: 16, channels: 3, unet_config: {target: unet, "
                     "params: {image_size: 16, in_channels: 3, out_channels: 3, model_channels: 32, "
                     "attention_resolutions: [], num_res_blocks: 1, channel_mult: [1], num_heads: 1}}, "
                     "first_stage_config: {target: identity}}"),
               "a model without a condition takes plain pictures"));
}

}  // namespace
}  // namespace ldm
