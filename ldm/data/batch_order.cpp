#include "ldm/data/batch_order.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/core/random.h"

namespace ldm {

BatchOrder::BatchOrder(std::vector<double> weights, int64_t batch_size, uint64_t seed)
    : weights_(std::move(weights)), batch_size_(batch_size), seed_(seed) {
  check(!weights_.empty(), "BatchOrder: expected examples, got none");
  check(batch_size >= 1, "BatchOrder: expected a batch size of at least 1, got ", batch_size);
  for (double w : weights_) check(std::isfinite(w) && w > 0, "BatchOrder: expected weights > 0, got ", w);
  const double largest = *std::max_element(weights_.begin(), weights_.end());
  for (double& w : weights_) w /= largest;
  const double sum = std::accumulate(weights_.begin(), weights_.end(), 0.0);
  epoch_size_ = std::max<int64_t>(1, static_cast<int64_t>(sum));
  for (double& w : weights_) w *= static_cast<double>(epoch_size_) / sum;
}

std::vector<int64_t> BatchOrder::draw_epoch(int64_t epoch) const {
  const auto number = static_cast<uint64_t>(epoch);
  const auto count = static_cast<int64_t>(weights_.size());
  const std::vector<int64_t> line = permutation(count, Random(seed_, "epoch line", number));
  // A comb with teeth 1 apart over the examples laid end to end, each as long as its weight.
  double tooth = Random(seed_, "epoch offset", number).uniform();
  std::vector<int64_t> order;
  double end = 0;
  for (int64_t index : line) {
    end += weights_[static_cast<size_t>(index)];
    if (tooth >= end || static_cast<int64_t>(order.size()) == epoch_size_) continue;
    order.push_back(index);
    tooth += 1;
  }
  // Rounding may cost the last tooth, which lies in the last example.
  if (static_cast<int64_t>(order.size()) < epoch_size_) order.push_back(line.back());
  std::vector<int64_t> shuffled;
  for (int64_t i : permutation(epoch_size_, Random(seed_, "epoch order", number))) {
    shuffled.push_back(order[static_cast<size_t>(i)]);
  }
  return shuffled;
}

std::vector<int64_t> BatchOrder::indices(int64_t batch) const {
  check(batch >= 0, "BatchOrder: expected a batch number >= 0, got ", batch);
  std::vector<int64_t> out;
  const std::lock_guard lock(mutex_);
  for (int64_t i = 0; i < batch_size_; ++i) {
    const int64_t draw = batch * batch_size_ + i;
    if (const int64_t epoch = draw / epoch_size_; epoch != epoch_) {
      order_ = draw_epoch(epoch);
      epoch_ = epoch;
    }
    out.push_back(order_[static_cast<size_t>(draw % epoch_size_)]);
  }
  return out;
}

std::vector<double> weights_of(const Dataset& dataset) {
  std::vector<double> out;
  for (int64_t i = 0; i < dataset.size(); ++i) out.push_back(dataset.info(i).weight);
  return out;
}

}  // namespace ldm
