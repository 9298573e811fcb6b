// The loop around a task, with a task that adds numbers.
#include "ldm/train/trainer.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>

#include "ldm/io/file.h"
#include "ldm/train/run_lock.h"
#include "tests/data/temp_folder.h"

namespace ldm {
namespace {

namespace fs = std::filesystem;

// Step n adds n + 1, so the sum tells which steps were done.
class AddingTask : public TrainTask {
 public:
  Scalars step(int64_t step) override {
    sum_ += static_cast<double>(step + 1);
    if (on_step) on_step(step);
    return figures ? figures(step) : Scalars{{"loss", static_cast<double>(step)}};
  }
  int64_t images_per_step() const override { return 2; }
  Scalars validate() override { return {{"psnr", 30.0}}; }
  std::vector<std::pair<std::string, Image>> pictures() override {
    return {{"samples", make_image(4, 4, 3)}};
  }
  std::map<std::string, StateDict> state() const override { return {{"model", {{"sum", sum_.clone()}}}}; }
  void load_state(const std::map<std::string, StateDict>& state) override {
    sum_ = state.at("model").at("sum").clone();
  }
  void export_model(const fs::path& path) const override { write_tensor_file(path, {{"sum", sum_}}); }

  double sum() const { return sum_.item<double>(); }

  std::function<void(int64_t)> on_step;
  std::function<Scalars(int64_t)> figures;

 private:
  torch::Tensor sum_ = at::zeros({1}, at::kDouble);
};

TrainSection six_steps() {
  TrainSection o;
  o.steps = 6;
  o.log_every = 2;
  o.validate_every = 3;
  o.sample_every = 0;
  o.checkpoint_every = 2;
  o.keep_checkpoints = 2;
  return o;
}

class TrainerTest : public testing::Test {
 protected:
  TrainReport run(AddingTask& task, const TrainSection& options, bool resume = false,
                  const std::string& config = "a: 1\n") {
    return run_training(task, options, config, folder_.path() / "run", resume,
                        {.log =
                             [this](LogLevel level, std::string_view text) {
                               if (level == LogLevel::kWarning) warnings_ += std::string(text) + "\n";
                             },
                         .progress = [this](const Progress& p) { last_ = p; },
                         .stop = stop_});
  }
  std::vector<nlohmann::json> rows(const std::string& part) const {
    std::vector<nlohmann::json> out;
    std::istringstream in(read_text(folder_.path() / "run/log.jsonl", 1 << 20));
    for (std::string line; std::getline(in, line);) {
      if (auto row = nlohmann::json::parse(line); row["part"] == part) out.push_back(row);
    }
    return out;
  }
  bool exists(const std::string& name) const { return fs::exists(folder_.path() / "run" / name); }

  TempFolder folder_;
  std::string warnings_;
  Progress last_;
  StopToken stop_;
};

TEST_F(TrainerTest, RunsToTheEndAndLogsMeans) {
  AddingTask task;
  const auto report = run(task, six_steps());
  EXPECT_TRUE(report.finished);
  EXPECT_EQ(report.steps_done, 6);
  EXPECT_EQ(task.sum(), 21);
  const auto logged = rows("train");
  ASSERT_EQ(logged.size(), 3u);
  EXPECT_EQ(logged[1]["step"], 4);
  EXPECT_EQ(logged[1]["loss"], 2.5);  // Of steps 2 and 3.
  EXPECT_EQ(rows("validation").size(), 2u);
  EXPECT_EQ(last_.done, 12);
  EXPECT_EQ(last_.total, 12);
  EXPECT_EQ(read_tensor_file(report.model).tensors.at("sum").item<double>(), 21);
}

TEST_F(TrainerTest, KeepsTheNewestCheckpoints) {
  AddingTask task;
  run(task, six_steps());
  EXPECT_FALSE(exists("checkpoints/step-2"));
  EXPECT_TRUE(exists("checkpoints/step-4"));
  EXPECT_TRUE(exists("checkpoints/step-6"));
  EXPECT_EQ(read_text(folder_.path() / "run/config.yaml", 100), "a: 1\n");
}

TEST_F(TrainerTest, DrawsWhenDue) {
  AddingTask task;
  auto options = six_steps();
  options.sample_every = 4;
  run(task, options);
  EXPECT_TRUE(exists("samples/samples-0000004.png"));
  EXPECT_TRUE(exists("samples/samples-0000006.png"));  // The last step always.
  EXPECT_FALSE(exists("samples/samples-0000002.png"));
}

TEST_F(TrainerTest, StopsWithACheckpointAndGoesOn) {
  AddingTask first;
  first.on_step = [this](int64_t step) {
    if (step == 2) stop_.request();
  };
  const auto stopped = run(first, six_steps());
  EXPECT_FALSE(stopped.finished);
  EXPECT_EQ(stopped.steps_done, 3);
  EXPECT_TRUE(exists("checkpoints/step-3"));
  stop_ = StopToken();
  AddingTask second;
  const auto resumed = run(second, six_steps(), true);
  EXPECT_EQ(resumed.first_step, 3);
  EXPECT_TRUE(resumed.finished);
  EXPECT_EQ(second.sum(), 21);
}

TEST_F(TrainerTest, StopsWhenTheTimeIsUp) {
  AddingTask task;
  auto options = six_steps();
  options.max_minutes = 1e-12;
  const auto report = run(task, options);
  EXPECT_FALSE(report.finished);
  EXPECT_LT(report.steps_done, 6);
}

TEST_F(TrainerTest, PassesOverABrokenCheckpoint) {
  AddingTask first;
  run(first, six_steps());
  write_file_atomic(folder_.path() / "run/checkpoints/step-6/model.safetensors", std::string_view("rubbish"));
  AddingTask second;
  const auto report = run(second, six_steps(), true);
  EXPECT_EQ(report.first_step, 4);
  EXPECT_EQ(second.sum(), 21);
  EXPECT_TRUE(contains(warnings_, "skipped checkpoint")) << warnings_;
  EXPECT_EQ(rows("train").size(), 3u) << "the log has each step once";
}

TEST_F(TrainerTest, NeverBeginsAnewOverDamagedCheckpoints) {
  AddingTask task;
  run(task, six_steps());
  const auto log = read_text(folder_.path() / "run/log.jsonl");
  for (const auto* step : {"4", "6"})
    folder_.write(std::string("run/checkpoints/step-") + step + "/model.safetensors", "x");
  AddingTask again;
  const auto message = error_of(ErrorKind::kData, [&] { run(again, six_steps(), true); });
  EXPECT_TRUE(contains(message, "none of the checkpoints can be read")) << message;
  EXPECT_EQ(read_text(folder_.path() / "run/log.jsonl"), log);
}

TEST_F(TrainerTest, MeansGoOnWhereTheyWere) {
  AddingTask task;
  auto options = six_steps();
  options.log_every = 6;
  task.on_step = [this](int64_t step) {
    if (step == 3) stop_.request();
  };
  EXPECT_FALSE(run(task, options).finished);
  stop_ = {};
  AddingTask rest;
  EXPECT_TRUE(run(rest, options, true).finished);
  ASSERT_EQ(rows("train").size(), 1u);
  EXPECT_EQ(rows("train")[0]["loss"], 2.5);  // Of steps 0 to 5.
}

TEST_F(TrainerTest, TellsWhatIsOtherThanBefore) {
  AddingTask task;
  run(task, six_steps(), false, "train:\n  steps: 6\n  seed: 1\n");
  AddingTask again;
  run(again, six_steps(), true, "train:\n  steps: 6\n  seed: 2\ndata: {size: 8}\n");
  EXPECT_EQ(warnings_, "goes on with other settings than before: train.seed 1 -> 2, data nothing -> a map\n");
}

TEST_F(TrainerTest, OneProgramTrainsInAFolder) {
  fs::create_directories(folder_.path() / "run");
  const RunLock other(folder_.path() / "run");
  AddingTask task;
  EXPECT_TRUE(contains(error_of(ErrorKind::kUsage, [&] { run(task, six_steps(), true); }),
                       "another program trains in"));
}

TEST_F(TrainerTest, AFinishedRunIsOnlyExportedAgain) {
  AddingTask first;
  const auto model = run(first, six_steps()).model;
  fs::remove(model);
  AddingTask second;
  const auto report = run(second, six_steps(), true);
  EXPECT_EQ(report.first_step, 6);
  EXPECT_EQ(second.sum(), 21);
  EXPECT_TRUE(fs::exists(model));
}

TEST_F(TrainerTest, RefusesAFolderWithARun) {
  AddingTask task;
  run(task, six_steps());
  EXPECT_TRUE(contains(error_of(ErrorKind::kUsage, [&] { run(task, six_steps()); }), "already holds a run"));
  EXPECT_TRUE(
      contains(error_of(ErrorKind::kUsage, [&] { check_new_run(folder_.path() / "run"); }), "--resume"));
  EXPECT_NO_THROW(check_new_run(folder_.path() / "other"));
}

TEST_F(TrainerTest, TenBadStepsEndIt) {
  for (const auto* name : {"loss", "gradient_norm"}) {
    const TempFolder fresh;
    AddingTask task;
    auto options = six_steps();
    options.steps = 100;
    int64_t last = -1;
    task.figures = [&](int64_t step) {
      last = step;
      Scalars out{{"loss", 1.0}, {"gradient_norm", 1.0}};
      if (step >= 20) out[name] = NAN;
      return out;
    };
    const auto text = error_of(ErrorKind::kData, [&] {
      run_training(task, options, "", fresh.path() / "run", false, {.log = {}, .progress = {}, .stop = {}});
    });
    EXPECT_TRUE(contains(text, "last 10 steps")) << text;
    EXPECT_EQ(last, 29) << name;
    EXPECT_TRUE(fs::exists(fresh.path() / "run/checkpoints/step-28"));
  }
}

TEST_F(TrainerTest, NineBadStepsDoNot) {
  AddingTask task;
  auto options = six_steps();
  options.steps = 40;
  task.figures = [](int64_t step) { return Scalars{{"loss", step % 10 == 0 ? 1.0 : INFINITY}}; };
  EXPECT_TRUE(run(task, options).finished);
  EXPECT_TRUE(contains(warnings_, "step 1: the loss is not finite"));
}

}  // namespace
}  // namespace ldm
