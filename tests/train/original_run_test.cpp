#include "ldm/train/original_run.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "ldm/config/yaml.h"
#include "tests/train/tiny_task.h"

namespace ldm {
namespace {

constexpr char kChurches[] = R"(
model:
  base_learning_rate: 5.0e-5
  target: ldm.models.diffusion.ddpm.LatentDiffusion
  params: {timesteps: 100, image_size: 8}
data:
  target: main.DataModuleFromConfig
  params:
    batch_size: 6
    num_workers: 3
    wrap: false
    train: {target: ldm.data.lsun.LSUNChurchesTrain, params: {size: 32, data_root: some/pictures}}
    validation: {target: ldm.data.lsun.LSUNChurchesValidation, params: {size: 32}}
lightning:
  callbacks: {image_logger: {target: main.ImageLogger, params: {batch_frequency: 5000, max_images: 8}}}
  trainer: {benchmark: true, accumulate_grad_batches: 2, gradient_clip_val: 0.5}
)";

RunConfig load_original(const std::string& text, const std::vector<std::string>& overrides = {}) {
  const TempFolder folder;
  folder.write("run.yaml", text);
  return load_run_config(folder.path() / "run.yaml", overrides);
}

TEST(OriginalRun, IsToldByItsClassPath) {
  EXPECT_TRUE(is_original_run(parse_yaml(kChurches, "test")));
  EXPECT_FALSE(is_original_run(parse_yaml(kTinyDiffusion, "test")));
}

TEST(OriginalRun, BecomesOurSections) {
  const auto config = load_original(kChurches);
  EXPECT_EQ(config.data.path, "some/pictures");
  EXPECT_EQ(config.data.size, 32);
  EXPECT_EQ(config.data.batch_size, 6);
  EXPECT_EQ(config.data.workers, 3);
  EXPECT_EQ(config.data.captions.style, 0);
  EXPECT_GT(config.data.captions.dropout, 0);  // A flaw that is not repeated.
  EXPECT_EQ(config.train.accumulate, 2);
  EXPECT_EQ(config.train.clip_grad_norm, 0.5);
  EXPECT_EQ(config.train.sample_every, 2500);  // Counted in steps, not batches.
  EXPECT_TRUE(config.train.scale_lr);
  EXPECT_EQ(config.train.warm_up_steps, 0);
  EXPECT_EQ(config.train.timesteps, "uniform");
  EXPECT_EQ(config.train.scale_from, "first_batch");
  EXPECT_EQ(config.train.optimizer.beta1, 0.9);
  EXPECT_EQ(config.train.optimizer.weight_decay, 0.01);
}

TEST(OriginalRun, TheConditionsKeySaysTheTask) {
  const auto kind = [](const std::string& key) {
    return load_original(
               "{model: {target: ldm.models.diffusion.ddpm.LatentDiffusion, params: {cond_stage_key: " + key +
               "}}, data: {path: x}}")
        .data.task.kind;
  };
  EXPECT_EQ(kind("LR_image"), "super_resolution");
  EXPECT_EQ(kind("masked_image"), "inpainting");
  EXPECT_EQ(kind("coordinates_bbox"), "layout");
  EXPECT_EQ(kind("segmentation"), "segmentation");
  EXPECT_EQ(kind("nix"), "retrieval");
  EXPECT_EQ(kind("caption"), "pictures");
  const auto config = load_original(
      "{model: {target: ldm.models.diffusion.ddpm.LatentDiffusion, params: {cond_stage_key: LR_image}}, "
      "data: "
      "{path: x, params: {train: {params: {degradation: pil_box, downscale_f: 2, min_crop_f: 0.25}}}}}");
  EXPECT_EQ(config.data.task.super_resolution.degradation, "pil_box");
  EXPECT_EQ(config.data.task.super_resolution.factor, 2);
  EXPECT_EQ(config.data.task.super_resolution.crop.min_crop, 0.25);
}

TEST(OriginalRun, OverridesOfBothSchemasCount) {
  const auto config =
      load_original(kChurches, {"data.path=mine", "data.params.batch_size=2", "train.scale_lr=false",
                                "train.clip_grad_norm=3", "train.ema.per_batch=true"});
  EXPECT_EQ(config.data.path, "mine");
  EXPECT_EQ(config.data.batch_size, 2);
  EXPECT_FALSE(config.train.scale_lr);
  EXPECT_EQ(config.train.clip_grad_norm, 3);
  EXPECT_TRUE(config.train.ema.per_batch);
}

TEST(OriginalRun, TrainsAutoencodersWithTheOriginalsAdam) {
  const std::string text =
      "{model: {target: taming.models.vqgan.VQModel, params: {n_embed: 8}}, data: {params: {train: {params: "
      "{size: "
      "384, crop_size: 64}}}, path: x}}";
  const auto config = load_original(text);
  EXPECT_EQ(config.data.size, 64);
  EXPECT_EQ(config.train.optimizer.beta1, 0.5);
  EXPECT_EQ(config.train.optimizer.beta2, 0.9);
  EXPECT_FALSE(config.train.optimizer.decoupled);
  EXPECT_EQ(config.train.discriminator_pass, "own");
  EXPECT_EQ(config.train.ema.decay, 0);
  EXPECT_EQ(config.model.params.at("codebook_restart").text(), "0");
  const auto averaged = load_original(text, {"model.params.use_ema=true"});
  EXPECT_EQ(averaged.train.ema.decay, 0.9999);
}

TEST(OriginalRun, NamesWhatHasNoEffect) {
  std::vector<std::string> notes;
  from_original_run(parse_yaml(kChurches, "test"), notes);
  const auto noted = [&](const std::string& key) {
    return std::count_if(notes.begin(), notes.end(), [&](const std::string& n) { return contains(n, key); });
  };
  EXPECT_EQ(noted("lightning.trainer.benchmark"), 1);
  EXPECT_EQ(noted("data.params.wrap"), 1);
  EXPECT_EQ(noted("LSUNChurchesTrain"), 1);
  EXPECT_EQ(noted("accumulate"), 0);
}

TEST(OriginalRun, RefusesSectionsOfNoProgram) {
  EXPECT_TRUE(contains(
      error_of(ErrorKind::kUsage, [] { load_original(kChurches, {"lightening.trainer.max_steps=3"}); }),
      "lightening"));
}

}  // namespace
}  // namespace ldm
