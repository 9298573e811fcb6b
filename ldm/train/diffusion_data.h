#pragma once

#include <torch/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ldm/core/log.h"
#include "ldm/core/progress.h"
#include "ldm/core/stop.h"
#include "ldm/data/loader.h"
#include "ldm/image/image.h"
#include "ldm/model/conditioner.h"
#include "ldm/train/run_config.h"
#include "ldm/train/task_data.h"

namespace ldm {

struct TrainingBatch {
  std::vector<int64_t> indices;       // In the training split.
  torch::Tensor pictures;             // [N, 3, H, W] in [-1, 1]; undefined where they never vary.
  std::vector<Condition> conditions;  // One each.
};

// A held-out example for a sample grid.
struct ShownExample {
  Condition condition;
  std::optional<Image> input;  // The condition as a picture, of the picture's size.
  Image truth;
};

// What stage two is trained on: the batches of data.task and what each of their samples is conditioned on.
// Every draw is a function of (seed, batch number, place in the batch).
class DiffusionData {
 public:
  // Throws as open_task_data.
  DiffusionData(const DataSection& options, uint64_t seed, const LogFn& log, const ProgressFn& progress,
                const StopToken& stop);

  const DatasetPtr& train() const { return data_.train; }
  const DatasetPtr& held_out() const { return data_.held_out; }  // May be empty.
  const TaskSection& task() const { return data_.task; }         // With what the data says filled in.

  // A batch with its conditions, some of them dropped: captions and classes (where `conditioner` knows "no
  // class"; null for an unconditional model) by data.captions.dropout, the task's own by data.task.dropout
  // (classifier-free guidance, Ho and Salimans 2022). Batches asked for in order are prepared ahead.
  TrainingBatch draw(int64_t number, const Conditioner* conditioner);

  // The conditions of held-out examples, without chance.
  std::vector<Condition> plain_conditions(const std::vector<int64_t>& indices) const;
  // What stands for the task's conditions where they are dropped; nothing if they never are.
  std::optional<Condition> null_condition() const;

  // At most `most` examples to draw, of the held-out ones if there are any. Empty where all there is to say
  // is words or a class.
  std::vector<ShownExample> shown_examples(int64_t most) const;

  // All words that a caption of the training split may hold.
  std::vector<std::string> caption_corpus() const;

 private:
  Batch words(int64_t number) const;  // Captions and classes alone: no picture is opened.
  Batch examples(int64_t number);
  void drop_labels(Batch& batch, const Conditioner* conditioner) const;

  DataSection options_;
  uint64_t seed_;
  TaskData data_;
  bool words_alone_;
  BatchOrder order_;
  std::optional<Loader> loader_;
  int64_t next_batch_ = 0;
};

}  // namespace ldm
