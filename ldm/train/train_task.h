#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "ldm/image/image.h"
#include "ldm/nn/state_dict.h"

namespace ldm {

// Named figures of one step or one validation, for the log: "loss" -> 0.183.
using Scalars = std::map<std::string, double>;

// What is trained and how one step goes; the loop around it (logs, checkpoints, resume, stopping) is
// run_training(). Every random draw of a task is a function of (seed, step, index of the sample), so that a
// resumed run equals an unbroken one bit for bit.
class TrainTask {
 public:
  virtual ~TrainTask() = default;

  // One optimizer step, `step` counted from 0.
  virtual Scalars step(int64_t step) = 0;
  virtual int64_t images_per_step() const = 0;

  // Figures on held-out data, with the averaged weights where there are any; the same draws every time.
  virtual Scalars validate() = 0;
  // The figure of validate() whose best model is kept; empty: none.
  virtual std::string monitor() const { return {}; }
  // Grids with fixed seeds: name ("samples", "reconstructions") and picture.
  virtual std::vector<std::pair<std::string, Image>> pictures() = 0;

  // All that the next step depends on, as named groups of tensors: "model", "optimizer", "ema".
  virtual std::map<std::string, StateDict> state() const = 0;
  virtual void load_state(const std::map<std::string, StateDict>& state) = 0;

  // Writes the model as it is used afterwards (averaged weights applied, configuration inside).
  virtual void export_model(const std::filesystem::path& path) const = 0;
};

}  // namespace ldm
