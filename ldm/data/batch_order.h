#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "ldm/data/dataset.h"

namespace ldm {

// Which examples make up which batch: a function of (weights, batch size, seed, batch number) alone, so a run
// can begin at any batch. An epoch has as many draws as the weights sum to, relative to the largest. In it no
// example comes twice, one of relative weight w comes with probability w (systematic sampling: Madow 1949),
// and the order is random. With equal weights every epoch is a permutation. Batches run on over the ends of
// epochs; none is short.
class BatchOrder {
 public:
  // Throws kUsage without examples, for a batch size below 1, or for weights that are not positive and
  // finite.
  BatchOrder(std::vector<double> weights, int64_t batch_size, uint64_t seed);

  std::vector<int64_t> indices(int64_t batch) const;  // batch_size of them. Safe from several threads.
  int64_t epoch_size() const { return epoch_size_; }  // Draws in an epoch.
  int64_t batch_size() const { return batch_size_; }

 private:
  std::vector<int64_t> draw_epoch(int64_t epoch) const;

  std::vector<double> weights_;  // Scaled so that they sum to epoch_size_.
  int64_t batch_size_;
  uint64_t seed_;
  int64_t epoch_size_ = 0;
  mutable std::mutex mutex_;  // Guards the epoch drawn last.
  mutable int64_t epoch_ = -1;
  mutable std::vector<int64_t> order_;
};

std::vector<double> weights_of(const Dataset& dataset);

}  // namespace ldm
