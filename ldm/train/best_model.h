#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "ldm/train/train_task.h"

namespace ldm {

// The figure that `monitor` names, under our name: the original's "val/loss_simple_ema" is "loss". Empty for
// an empty name. Throws kUsage with the known figures for another.
std::string monitored_figure(const std::string& monitor, const std::vector<std::string>& known);

// Keeps the best model of a run beside its last one: RUN/best.safetensors, with the figure and step in
// RUN/best.json. Lower is better, but for psnr.
class BestModel {
 public:
  // figure: as monitored_figure gives it; empty: nothing is kept. Goes on where best.json stands when
  // `resume`. Throws kFormat when that file is broken.
  BestModel(std::filesystem::path run, std::string figure, bool resume);

  // Exports the task's model if the figure is better than ever. True if so.
  bool look_at(const Scalars& figures, int64_t step, const TrainTask& task);

 private:
  std::filesystem::path run_;
  std::string figure_;
  double best_ = std::numeric_limits<double>::infinity();
};

}  // namespace ldm
