#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ldm/core/log.h"
#include "ldm/core/progress.h"
#include "ldm/core/stop.h"
#include "ldm/data/batch_order.h"
#include "ldm/data/dataset.h"
#include "ldm/model/conditioner.h"
#include "ldm/train/run_config.h"

namespace ldm {

// What stage two is trained on: the splits of the run's folder, the order of the batches, and what each
// sample of a batch is conditioned on. Every draw is a function of (seed, batch number, place in the batch).
class DiffusionData {
 public:
  // Throws kData for a folder without pictures to train on, kUsage for options out of range, Stopped.
  DiffusionData(const DataSection& options, uint64_t seed, const LogFn& log, const ProgressFn& progress,
                const StopToken& stop);

  const DatasetPtr& train() const { return train_; }
  const DatasetPtr& held_out() const { return held_out_; }  // May be empty.
  std::vector<int64_t> indices(int64_t batch) const { return order_->indices(batch); }

  // The conditions of a batch: captions and labels, some of them dropped where `conditioner` knows "no
  // condition" (classifier-free guidance, Ho and Salimans 2022). conditioner: null for an unconditional
  // model.
  std::vector<Condition> draw_conditions(const std::vector<int64_t>& indices, int64_t batch,
                                         const Conditioner* conditioner) const;
  // The conditions of held-out examples, without chance.
  std::vector<Condition> plain_conditions(const std::vector<int64_t>& indices) const;

  // All words that a caption of the training split may hold.
  std::vector<std::string> caption_corpus() const;

 private:
  int64_t draw_label(int64_t index, int64_t batch, size_t place, const Conditioner* conditioner) const;

  DataSection options_;
  uint64_t seed_;
  DatasetPtr train_, held_out_;
  std::optional<BatchOrder> order_;
};

}  // namespace ldm
