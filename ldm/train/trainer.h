#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "ldm/core/log.h"
#include "ldm/core/progress.h"
#include "ldm/core/stop.h"
#include "ldm/train/run_config.h"
#include "ldm/train/train_task.h"

namespace ldm {

struct TrainCallbacks {
  LogFn log;
  ProgressFn progress;
  StopToken stop;
};

struct TrainReport {
  int64_t first_step = 0;  // Where this session began.
  int64_t steps_done = 0;  // Steps finished in the run's whole life.
  bool finished = false;   // False: stopped by request or by max_minutes; --resume auto goes on.
  double seconds = 0.0;
  double images_per_second = 0.0;  // Training steps alone, without validation, samples and checkpoints.
  std::filesystem::path model;     // The exported model.
};

// Throws kUsage when the folder already holds a run.
void check_new_run(const std::filesystem::path& run);

// Runs the task from its newest good checkpoint in `run` (with resume) or from the start, up to
// options.steps. The folder gets config.yaml, log.jsonl, TensorBoard events, samples/, checkpoints/ and
// model.safetensors. On a stop request it saves and returns. Throws kUsage when the folder already holds a
// run and resume is off, kData when a file cannot be written, and kData after ten steps in a row without a
// finite loss and gradient.
TrainReport run_training(TrainTask& task, const TrainSection& options, const std::string& config_yaml,
                         const std::filesystem::path& run, bool resume, const TrainCallbacks& callbacks);

}  // namespace ldm
