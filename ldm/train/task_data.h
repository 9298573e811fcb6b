#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "ldm/core/log.h"
#include "ldm/core/progress.h"
#include "ldm/core/stop.h"
#include "ldm/data/dataset.h"
#include "ldm/image/image.h"
#include "ldm/train/run_config.h"

namespace ldm {

// A task's data: the sets, and what there is to know about their conditions.
struct TaskData {
  DatasetPtr train, held_out;             // Of the second there may be nothing.
  std::map<std::string, double> dropout;  // By the names of Example::conditions.
  TaskSection task;                       // As asked for, with what the data says filled in.
  // The conditions of an example as a picture to look at; empty where there is nothing to see.
  std::function<std::optional<Image>(const Conditions&)> show;
};

// Opens what data.path holds for data.task. Throws kData for wrong paths, missing annotations, and where
// nothing is left to train on; kFormat for broken files, kUsage for options out of range, Stopped.
TaskData open_task_data(const DataSection& options, const LogFn& log, const ProgressFn& progress,
                        const StopToken& stop);

}  // namespace ldm
