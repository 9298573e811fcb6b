#include "ldm/train/trainer.h"

#include <chrono>
#include <cmath>
#include <cstdio>
#include <utility>

#include "ldm/config/yaml.h"
#include "ldm/core/error.h"
#include "ldm/core/names.h"
#include "ldm/image/png.h"
#include "ldm/io/file.h"
#include "ldm/train/best_model.h"
#include "ldm/train/checkpoint.h"
#include "ldm/train/jsonl_log.h"
#include "ldm/train/run_lock.h"
#include "ldm/train/running_means.h"
#include "ldm/train/setting_changes.h"
#include "ldm/train/tensorboard.h"

namespace ldm {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kConfigFile = "config.yaml";  // In the run's folder and in a checkpoint.
constexpr const char* kMeansFile = "means.json";  // In a checkpoint: figures since the last line of the log.

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string short_number(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.4g", value);
  return text;
}

std::string describe(const Scalars& scalars) {
  std::string line;
  for (const auto& [name, value] : scalars)
    line += (line.empty() ? "" : "  ") + name + " " + short_number(value);
  return line;
}

// Stops a run that has lost its way: a few steps without a finite loss and gradient are skipped and said, ten
// in a row end it.
class LossGuard {
 public:
  void look_at(const Scalars& scalars, int64_t step, const LogFn& log) {
    constexpr int kLimit = 10;
    const auto finite = [&](const char* name) {
      const auto found = scalars.find(name);
      return found == scalars.end() || std::isfinite(found->second);
    };
    if (finite("loss") && finite("gradient_norm")) {
      bad_ = 0;
      return;
    }
    log_warning(log, "step " + std::to_string(step) + ": the " + (finite("loss") ? "gradient" : "loss") +
                         " is not finite; the step was skipped");
    check(++bad_ < kLimit, ErrorKind::kData, "train: no finite loss in the last ", kLimit,
          " steps; hint: lower model.base_learning_rate; --resume auto goes on from the last checkpoint, if "
          "there is one");
  }

 private:
  int bad_ = 0;
};

class Run {
 public:
  Run(TrainTask& task, const TrainSection& options, std::string config_yaml,
      const std::filesystem::path& folder, const TrainCallbacks& callbacks)
      : task_(task),
        options_(options),
        config_yaml_(std::move(config_yaml)),
        folder_(folder),
        callbacks_(callbacks),
        store_(folder / "checkpoints", options.keep_checkpoints) {}

  TrainReport train(bool resume) {
    start(resume);
    const auto began = Clock::now();
    while (report_.steps_done < options_.steps && !must_stop(began)) {
      advance();
      periodic();
    }
    if (saved_ != report_.steps_done) save();
    report_.finished = report_.steps_done >= options_.steps;
    report_.model = folder_ / "model.safetensors";
    task_.export_model(report_.model);
    report_.seconds = seconds_since(began);
    const auto images = (report_.steps_done - report_.first_step) * task_.images_per_step();
    report_.images_per_second = stepping_s_ > 0 ? static_cast<double>(images) / stepping_s_ : 0.0;
    return report_;
  }

 private:
  void start(bool resume) {
    std::filesystem::create_directories(folder_ / "samples");
    lock_.emplace(folder_);
    if (resume) {
      if (const auto checkpoint = store_.latest(callbacks_.log)) load(*checkpoint);
    } else {
      check_new_run(folder_);
    }
    write_file_atomic(folder_ / kConfigFile, config_yaml_);
    best_.emplace(folder_, task_.monitor(), resume);
    jsonl_.emplace(folder_ / "log.jsonl", report_.first_step);
    // TensorBoard forgets what earlier files hold from the step after the last good one.
    events_.emplace(folder_, report_.first_step > 0 ? report_.first_step + 1 : 0);
  }

  void load(const Checkpoint& checkpoint) {
    tell_changes(checkpoint);
    std::map<std::string, StateDict> state;
    for (const auto& [group, unused] : task_.state()) {
      state[group] = read_tensor_file(checkpoint.folder / (group + ".safetensors")).tensors;
    }
    task_.load_state(state);
    means_.load(checkpoint.folder / kMeansFile);
    report_.first_step = report_.steps_done = saved_ = checkpoint.step;
    log_info(callbacks_.log, "resumed from " + checkpoint.folder.string());
  }

  // Settings that are others than those with which the checkpoint was made.
  void tell_changes(const Checkpoint& checkpoint) const {
    const auto changes =
        changed_settings(read_yaml(checkpoint.folder / kConfigFile), parse_yaml(config_yaml_, kConfigFile));
    if (!changes.empty())
      log_warning(callbacks_.log, "goes on with other settings than before: " + join_names(changes));
  }

  bool must_stop(Clock::time_point began) const {
    return callbacks_.stop.requested() ||
           (options_.max_minutes > 0 && seconds_since(began) >= 60.0 * options_.max_minutes);
  }

  void advance() {
    const auto began = Clock::now();
    const auto scalars = task_.step(report_.steps_done);
    stepping_s_ += seconds_since(began);
    meter_.update((report_.steps_done + 1 - report_.first_step) * task_.images_per_step(), stepping_s_);
    guard_.look_at(scalars, report_.steps_done, callbacks_.log);
    const auto step = ++report_.steps_done;
    means_.add(scalars);
    if (step % options_.log_every == 0 || step == options_.steps) log_means(step);
    report(callbacks_.progress, {.stage = "training",
                                 .done = step * task_.images_per_step(),
                                 .total = options_.steps * task_.images_per_step(),
                                 .detail = "step " + std::to_string(step) + "  " + shown_,
                                 .unit = "images"});
  }

  // The mean of each figure since the last line.
  void log_means(int64_t step) {
    Scalars means = means_.take();
    means["images_per_second"] = meter_.rate();
    const auto loss = means.find("loss");
    shown_ = loss == means.end() ? describe(means) : "loss " + short_number(loss->second);
    log_scalars("train", step, means);
  }

  void log_scalars(const std::string& part, int64_t step, const Scalars& scalars) {
    LogRow row{{"part", part}};
    for (const auto& [name, value] : scalars) row.emplace_back(name, value);
    jsonl_->write(step, row);
    for (const auto& [name, value] : scalars) events_->scalar(part + "/" + name, value, step);
  }

  void periodic() {
    const auto step = report_.steps_done;
    const auto due = [&](int64_t every) {
      return every > 0 && (step % every == 0 || step == options_.steps);
    };
    if (due(options_.validate_every)) {
      const auto figures = task_.validate();
      log_scalars("validation", step, figures);
      log_info(callbacks_.log, "step " + std::to_string(step) + " validation: " + describe(figures));
      if (best_->look_at(figures, step, task_)) log_info(callbacks_.log, "the best model so far is kept");
    }
    if (due(options_.sample_every)) draw(step);
    if (due(options_.checkpoint_every)) save();
  }

  void draw(int64_t step) {
    for (const auto& [name, picture] : task_.pictures()) {
      const auto png = encode_png(picture);
      char number[16];
      std::snprintf(number, sizeof(number), "%07lld", static_cast<long long>(step));
      write_file_atomic(folder_ / "samples" / (name + "-" + number + ".png"), png);
      events_->image(name, png, picture.width, picture.height, picture.channels, step);
    }
  }

  void save() {
    CheckpointFiles files{{kConfigFile, text_file_writer(config_yaml_)},
                          {kMeansFile, text_file_writer(means_.text())}};
    for (auto& [group, tensors] : task_.state()) {
      files[group + ".safetensors"] = tensor_file_writer(std::move(tensors));
    }
    store_.save(report_.steps_done, files);
    saved_ = report_.steps_done;
  }

  TrainTask& task_;
  const TrainSection& options_;
  std::string config_yaml_;
  std::filesystem::path folder_;
  const TrainCallbacks& callbacks_;
  CheckpointStore store_;
  std::optional<RunLock> lock_;
  std::optional<BestModel> best_;
  std::optional<JsonlLog> jsonl_;
  std::optional<TensorBoardWriter> events_;
  LossGuard guard_;
  TrainReport report_;
  RunningMeans means_;
  int64_t saved_ = -1;
  double stepping_s_ = 0.0;
  RateMeter meter_;
  std::string shown_;
};

}  // namespace

void check_new_run(const std::filesystem::path& run) {
  check(!std::filesystem::exists(run / "log.jsonl"), "train: ", run.string(),
        " already holds a run; hint: --resume auto goes on with it, --out names another folder");
}

TrainReport run_training(TrainTask& task, const TrainSection& options, const std::string& config_yaml,
                         const std::filesystem::path& run, bool resume, const TrainCallbacks& callbacks) {
  check(options.steps > 0, "train.steps: expected a positive number, got ", options.steps);
  check(options.log_every > 0, "train.log_every: expected a positive number, got ", options.log_every);
  return Run(task, options, config_yaml, run, callbacks).train(resume);
}

}  // namespace ldm
