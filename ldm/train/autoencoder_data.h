#pragma once

#include <torch/types.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "ldm/core/log.h"
#include "ldm/core/progress.h"
#include "ldm/core/stop.h"
#include "ldm/data/dataset.h"
#include "ldm/data/loader.h"
#include "ldm/train/run_config.h"

namespace ldm {

// What stage one is trained on: the splits of the run's folder and the batches of the training split.
class AutoencoderData {
 public:
  // resize_range: empty, or the lowest and highest side of a batch's pictures (batch_resize_range of the
  // original). Throws kData for a folder without pictures to train on, kUsage, Stopped.
  AutoencoderData(const DataSection& options, uint64_t seed, std::vector<int64_t> resize_range,
                  const LogFn& log, const ProgressFn& progress, const StopToken& stop);

  const DatasetPtr& train() const { return train_; }
  const DatasetPtr& held_out() const { return held_out_; }  // May be empty.

  // The pictures of a batch of a step, [N, 3, H, W] in [-1, 1]. Batches asked for in order are prepared
  // ahead.
  torch::Tensor images(int64_t batch, int64_t step);

 private:
  torch::Tensor resized(const torch::Tensor& images, int64_t step) const;

  DataSection options_;
  uint64_t seed_;
  std::vector<int64_t> resize_range_;
  DatasetPtr train_, held_out_;
  std::optional<Loader> loader_;
  int64_t next_batch_ = 0;
};

}  // namespace ldm
