// `ldm train` end to end on a tiny set: what a run leaves, resuming, stopping, the variants.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "ldm/nn/state_dict.h"
#include "tests/cli/tiny_run.h"

namespace ldm::cli {
namespace {

namespace fs = std::filesystem;

bool same_bytes(const fs::path& a, const fs::path& b) {
  const auto text = read_whole(a);
  return !text.empty() && text == read_whole(b);
}

// The figures of one part of log.jsonl after a step, without the speed.
std::vector<nlohmann::json> rows(const fs::path& log, const std::string& part, int64_t after) {
  std::vector<nlohmann::json> out;
  std::istringstream in(read_whole(log));
  for (std::string line; std::getline(in, line);) {
    auto row = nlohmann::json::parse(line);
    row.erase("images_per_second");
    if (row["part"] == part && row["step"] > after) out.push_back(row);
  }
  return out;
}

// The run as if it had been killed after step 3.
void cut_back(const std::string& finished, const fs::path& run) {
  fs::copy(finished, run, fs::copy_options::recursive);
  fs::remove_all(run / "checkpoints/step-6");
  fs::remove(run / "model.safetensors");
}

void expect_resume_equals_unbroken(const std::string& yaml, const std::string& unbroken) {
  const Scratch scratch;
  const fs::path again = scratch / "again";
  cut_back(unbroken, again);
  const auto outcome = run_program({"train", yaml, "-o", again.string(), "--resume", "auto", "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto report = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(report["first_step"], 3);
  EXPECT_EQ(report["steps"], 6);
  EXPECT_EQ(report["finished"], true);
  EXPECT_TRUE(same_bytes(fs::path(unbroken) / "model.safetensors", again / "model.safetensors"));
  for (const auto* name : {"model.safetensors", "optimizer.safetensors", "ema.safetensors"}) {
    EXPECT_TRUE(
        same_bytes(fs::path(unbroken) / "checkpoints/step-6" / name, again / "checkpoints/step-6" / name))
        << name;
  }
  EXPECT_EQ(rows(fs::path(unbroken) / "log.jsonl", "train", 0), rows(again / "log.jsonl", "train", 0));
  EXPECT_EQ(rows(again / "log.jsonl", "train", 0).size(), 6u);
}

TEST(Train, LeavesAWholeRun) {
  for (const auto& run : {tiny().autoencoder_run, tiny().diffusion_run}) {
    for (const auto* name :
         {"config.yaml", "log.jsonl", "model.safetensors", "checkpoints/step-3/manifest.json",
          "checkpoints/step-6/optimizer.safetensors", "checkpoints/latest"}) {
      EXPECT_TRUE(fs::exists(fs::path(run) / name)) << run << ": " << name;
    }
    EXPECT_FALSE(fs::is_empty(fs::path(run) / "samples"));
    EXPECT_EQ(rows(fs::path(run) / "log.jsonl", "validation", 0).size(), 2u);
  }
  EXPECT_GT(rows(fs::path(tiny().autoencoder_run) / "log.jsonl", "validation", 0)[1]["psnr"].get<double>(),
            8.0);
}

// Stage one's result has the name that stage two's own result gets.
TEST(Train, KeepsTheFirstStageBesideTheModel) {
  EXPECT_TRUE(same_bytes(tiny().first_stage, fs::path(tiny().diffusion_run) / "first-stage.safetensors"));
  EXPECT_FALSE(same_bytes(tiny().first_stage, tiny().model));
}

TEST(Train, ResumedAutoencoderEqualsUnbrokenOne) {
  expect_resume_equals_unbroken(tiny().autoencoder_yaml, tiny().autoencoder_run);
}

TEST(Train, ResumedDiffusionEqualsUnbrokenOne) {
  expect_resume_equals_unbroken(tiny().diffusion_yaml, tiny().diffusion_run);
}

TEST(Train, ResumedVqEqualsUnbrokenOneAndItsCodesStayInUse) {
  const Scratch scratch;
  const auto run = scratch / "vq";
  const auto outcome = run_program({"train", tiny().vq_yaml, "-o", run});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  expect_resume_equals_unbroken(tiny().vq_yaml, run);
  const auto validation = rows(fs::path(run) / "log.jsonl", "validation", 0);
  // Held out are about 6 pictures, 96 latents, half of them white paper.
  EXPECT_GT(validation.back()["codes_used"].get<double>(), 0.3);
}

TEST(Train, InterruptSavesAndEndsWell) {
  const Scratch scratch;
  const auto run = scratch / "run";
  RunningProgram program({"train", tiny().autoencoder_yaml, "-o", run, "train.steps=1000000",
                          "train.checkpoint_every=0", "train.validate_every=0", "train.sample_every=0"},
                         scratch);
  ASSERT_TRUE(wait_for_lines(fs::path(run) / "log.jsonl", 2)) << read_whole(scratch / "err");
  program.interrupt();
  EXPECT_EQ(program.wait(), 0) << read_whole(scratch / "err");
  EXPECT_NE(read_whole(scratch / "out").find("Stopped after step"), std::string::npos);
  EXPECT_TRUE(fs::exists(fs::path(run) / "checkpoints/latest"));
  EXPECT_TRUE(fs::exists(fs::path(run) / "model.safetensors"));
  const auto saved =
      fs::path(run) / "checkpoints" / last_line(read_whole(fs::path(run) / "checkpoints/latest"));
  EXPECT_FALSE(read_tensor_file(saved / "model.safetensors").tensors.empty());
}

// Before the first step there is nothing to save, and nothing went wrong.
TEST(Train, InterruptWhilePicturesAreReadEndsWell) {
  const Scratch scratch;
  const fs::path many = scratch / "many";
  fs::create_directories(many);
  const auto picture = *fs::directory_iterator(fs::path(tiny().classes) / "disc");
  for (int k = 0; k < 20000; ++k) fs::create_symlink(picture, many / (std::to_string(k) + ".png"));
  const auto run = scratch / "run";
  RunningProgram program({"train", tiny().diffusion_yaml, "-o", run, "data.path=" + many.string()}, scratch);
  ASSERT_TRUE(program.wait_for_handler());
  program.interrupt();
  EXPECT_EQ(program.wait(), 0) << read_whole(scratch / "err");
  EXPECT_EQ(read_whole(scratch / "out"), "Stopped before the first step; nothing was written.\n");
  EXPECT_FALSE(fs::exists(run));
}

TEST(Train, ModelFilesDoNotNameTheFolderOfThePictures) {
  for (const auto& model : {tiny().first_stage, tiny().model}) {
    const auto config = read_tensor_file(model).metadata.at("ldm.config");
    EXPECT_NE(config.find("batch_size"), std::string::npos);
    EXPECT_EQ(config.find(tiny().pictures), std::string::npos) << config;
    EXPECT_EQ(config.find(fs::path(tiny().first_stage).parent_path().string()), std::string::npos) << config;
  }
}

TEST(Train, TakesThePerceptualWeightsOfTheProject) {
  const auto weights = source_folder() / "models/perceptual_efficientnet_lite0.safetensors";
  if (!fs::exists(weights)) GTEST_SKIP() << weights << " is not here";
  const Scratch scratch;
  const auto outcome = run_program({"train", tiny().autoencoder_yaml, "-o", scratch / "run", "train.steps=2",
                                    "train.sample_every=0", "model.params.perceptual=" + weights.string(),
                                    "model.params.lossconfig.params.perceptual_weight=0.1"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto without =
      rows(fs::path(tiny().autoencoder_run) / "log.jsonl", "train", 0)[0]["loss"].get<double>();
  EXPECT_NE(rows(fs::path(scratch / "run") / "log.jsonl", "train", 0)[0]["loss"].get<double>(), without);
}

TEST(Train, ClassConditionalModelDrawsItsClasses) {
  const Scratch scratch;
  const auto outcome = run_program({"train", tiny().class_yaml, "-o", scratch / "run", "train.steps=2"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto model = scratch / "run/model.safetensors";
  const std::vector<std::string> draw{"generate", "-m", model, "--steps", "2", "--seed", "1"};
  const auto with = [&](const std::vector<std::string>& more) {
    auto all = draw;
    all.insert(all.end(), more.begin(), more.end());
    return run_program(all);
  };
  EXPECT_EQ(with({"--class", "0", "-o", scratch / "a.png"}).code, 0);
  EXPECT_EQ(with({"--class", "1", "-o", scratch / "b.png"}).code, 0);
  EXPECT_FALSE(same_bytes(scratch / "a.png", scratch / "b.png"));
  expect_refusal(with({"--class", "7", "-o", scratch / "c.png"}), 2, "expected a class in 0..2, got 7");
  expect_refusal(with({"a word", "-o", scratch / "c.png"}), 2, "takes a class in 0..2, not words");
}

TEST(Train, DryRunPrintsEverySetting) {
  const auto outcome = run_program({"train", tiny().diffusion_yaml, "--dry-run", "train.seed=77"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("seed: 77"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("clip_grad_norm: 1"), std::string::npos) << outcome.out;
}

}  // namespace
}  // namespace ldm::cli
