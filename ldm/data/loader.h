#pragma once

#include <torch/types.h>

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "ldm/core/stop.h"
#include "ldm/data/batch_order.h"
#include "ldm/data/captions.h"
#include "ldm/data/dataset.h"

namespace ldm {

struct Batch {
  int64_t number = 0;                 // Counted from 0 over the whole run.
  torch::Tensor images;               // [N, 3, H, W] float32 in [-1, 1]
  torch::Tensor labels;               // [N] int64, -1 without a class.
  std::vector<std::string> captions;  // [N]
  std::vector<int64_t> indices;       // [N] in the data set.
  Conditions conditions;              // [N, ...] each.
};

struct LoaderOptions {
  int64_t batch_size = 16;
  uint64_t seed = 0;
  int64_t workers = 1;   // Threads that prepare batches ahead; 0: batches are made when asked for.
  int64_t prefetch = 4;  // Batches ready or in work at most.
  bool flip = false;     // Mirror pictures left to right with probability 1/2.
  CaptionOptions captions;
};

// The images of these examples, each mirrored by the draw (seed, batch, place in the batch) if `flip`; with
// labels, captions and conditions, none of them dropped. The same arguments give the same batch. Throws
// kUsage for `flip` with conditions: their sets mirror by themselves.
Batch make_batch(const Dataset& dataset, std::vector<int64_t> indices, int64_t number,
                 const LoaderOptions& options);

// Stands for "no condition" where a name of a batch is dropped: each name with its probability, drawn for
// each sample alone; "caption" (an empty one) and "label" (-1) among them. "all" drops everything together.
// Takes `nulls` (see Dataset::null_conditions), else zeros. Throws kUsage for a name that the batch does not
// have and a probability out of 0..1.
void drop_conditions(Batch& batch, const std::map<std::string, double>& probabilities,
                     const Conditions& nulls, uint64_t seed);

// The captions of a batch alone, equal to those of make_batch: for latents that come from a cache.
std::vector<std::string> draw_captions(const Dataset& dataset, const std::vector<int64_t>& indices,
                                       int64_t number, const CaptionOptions& options, uint64_t seed);

// Endless batches in BatchOrder's order, made ahead by worker threads. What comes does not depend on how many
// there are.
class Loader {
 public:
  // Begins at batch number `first`. Throws kUsage for bad options or an empty data set.
  Loader(DatasetPtr dataset, const LoaderOptions& options, int64_t first = 0, StopToken stop = {});
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  // The next batch; nothing once a stop is requested. Rethrows what making this batch threw. For one thread.
  std::optional<Batch> next();
  const BatchOrder& order() const { return order_; }

 private:
  struct Made {
    Batch batch;
    std::exception_ptr error;
  };

  Made make(int64_t number) const noexcept;
  void work();

  DatasetPtr dataset_;
  LoaderOptions options_;
  BatchOrder order_;
  StopToken stop_;
  std::mutex mutex_;  // Guards all below but the threads.
  std::condition_variable room_, ready_;
  std::map<int64_t, Made> made_;
  int64_t next_to_give_, next_to_make_;
  bool closing_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace ldm
