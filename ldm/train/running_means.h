#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "ldm/train/train_task.h"

namespace ldm {

// Means of the figures of several steps. A checkpoint keeps the sums, so that the log of a run that was
// stopped in between is that of an unbroken one.
class RunningMeans {
 public:
  void add(const Scalars& figures);
  Scalars take();  // The means so far; begins anew.

  std::string text() const;  // JSON: {"steps": n, "sums": {...}}
  // What text() gave. Without such a file (checkpoints of earlier versions) it begins anew. Throws kFormat
  // for anything else.
  void load(const std::filesystem::path& file);

 private:
  Scalars sums_;
  int64_t steps_ = 0;
};

}  // namespace ldm
