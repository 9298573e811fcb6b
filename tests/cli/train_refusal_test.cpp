// What `ldm train` says when it cannot begin or cannot go on.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>

#include "tests/cli/tiny_run.h"

namespace ldm::cli {
namespace {

namespace fs = std::filesystem;

Outcome train(const std::string& override_, const std::string& yaml = tiny().autoencoder_yaml) {
  const Scratch scratch;
  const auto outcome = run_program({"train", yaml, "-o", scratch / "run", override_});
  EXPECT_FALSE(fs::exists(scratch / "run")) << "a run that never began left a folder";
  return outcome;
}

TEST(TrainRefuses, AFolderThatIsNotThere) {
  expect_refusal(train("data.path=/nowhere/at/all"), 1, "/nowhere/at/all");
}

TEST(TrainRefuses, AnEmptyFolder) {
  const Scratch empty;
  expect_refusal(train("data.path=" + empty.path().string()), 1, empty.path().string());
}

TEST(TrainRefuses, AMisspeltKeyAndNamesTheNearest) {
  expect_refusal(train("train.stepz=5"), 2, "steps");
  expect_refusal(train("model.params.ddconfig.ch_mul=[1]"), 2, "ch_mult");
  expect_refusal(train("model.params.unet_config.params.model_chanels=32", tiny().diffusion_yaml), 2,
                 "model_channels");
}

TEST(TrainRefuses, AMisspeltTargetAndNamesTheNearest) {
  expect_refusal(train("model.target=autoencoder_k"), 2, "autoencoder_kl");
}

TEST(TrainRefuses, NumbersOutOfRange) {
  expect_refusal(train("train.steps=0"), 2, "train.steps: expected at least 1, got 0");
  expect_refusal(train("data.batch_size=many"), 2, "batch_size");
}

TEST(TrainRefuses, PicturesThatThePatchesDoNotDivide) {
  expect_refusal(train("data.size=36"), 2, "data.size: expected a multiple of 8 pixels");
}

TEST(TrainRefuses, LatentsOfAnotherSize) {
  expect_refusal(train("model.params.image_size=8", tiny().diffusion_yaml), 2,
                 "latents of 4 per side, got 8");
}

TEST(TrainRefuses, AVocabularySizeThatIsNoNumber) {
  expect_refusal(train("model.params.cond_stage_config.params.vocab_size=big", tiny().diffusion_yaml), 2,
                 "vocab_size");
}

TEST(TrainRefuses, PromptsForAModelOfClasses) {
  expect_refusal(train("train.sample_prompts=[red disc]", tiny().class_yaml), 2, "train.sample_prompts");
}

TEST(TrainRefuses, CountingClassesThatHaveNoNames) {
  const Scratch scratch;
  const auto outcome =
      run_program({"train", tiny().class_yaml, "-o", scratch / "run", "data.path=" + tiny().pictures,
                   "model.params.cond_stage_config.params.n_classes=0"});
  expect_refusal(outcome, 2, tiny().pictures + " names none");
}

TEST(TrainRefuses, AFirstStageThatIsNotThere) {
  expect_refusal(
      train("model.params.first_stage_config.params.path=/nowhere.safetensors", tiny().diffusion_yaml), 1,
      "first_stage_config.params.path: nothing is at /nowhere.safetensors");
}

TEST(TrainRefuses, AFinishedRunWithoutResume) {
  expect_refusal(run_program({"train", tiny().autoencoder_yaml, "-o", tiny().autoencoder_run}), 2,
                 "already holds a run; hint: --resume auto");
}

TEST(TrainRefuses, OtherCaptionsOnResume) {
  const Scratch scratch;
  const fs::path run = scratch / "run", pictures = scratch / "pictures";
  fs::copy(tiny().diffusion_run, run, fs::copy_options::recursive);
  fs::copy(tiny().pictures, pictures, fs::copy_options::recursive);
  for (const auto& entry : fs::directory_iterator(pictures)) {
    if (entry.path().extension() == ".txt") write_whole(entry.path(), "something else entirely");
  }
  expect_refusal(run_program({"train", tiny().diffusion_yaml, "-o", run.string(), "--resume", "auto",
                              "data.path=" + pictures.string()}),
                 1, "have changed since this run began");
}

// A limit on the size of files stands for a full disk: writing fails half way.
TEST(TrainRefuses, AFullDiskAndKeepsWhatWasThere) {
  const Scratch scratch;
  const fs::path run = scratch / "run";
  fs::copy(tiny().diffusion_run, run, fs::copy_options::recursive);
  fs::remove_all(run / "checkpoints/step-6");
  const auto before = read_whole(run / "checkpoints/step-3/model.safetensors");
  const auto program = std::string(std::getenv("LDM_BUILD_DIR")) + "/bin/ldm";
  const auto command = "trap '' XFSZ; ulimit -f 100; exec " + program + " train " + tiny().diffusion_yaml +
                       " -o " + run.string() + " --resume auto >" + (scratch / "out") + " 2>" +
                       (scratch / "err");
  const int status = std::system(command.c_str());
  EXPECT_EQ(WEXITSTATUS(status), 1);
  const auto line = last_line(read_whole(scratch / "err"));
  EXPECT_NE(line.find("older checkpoints are intact"), std::string::npos) << line;
  EXPECT_EQ(read_whole(run / "checkpoints/step-3/model.safetensors"), before);
  EXPECT_FALSE(fs::exists(run / "checkpoints/step-6"));
}

}  // namespace
}  // namespace ldm::cli
