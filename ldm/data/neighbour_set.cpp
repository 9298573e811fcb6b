#include <ATen/ops/empty.h>

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "ldm/core/error.h"
#include "ldm/data/task_sets.h"

namespace ldm {
namespace {

class NeighbourSet : public Dataset {
 public:
  NeighbourSet(DatasetPtr pictures, torch::Tensor neighbours)
      : pictures_(std::move(pictures)), neighbours_(std::move(neighbours)) {}

  int64_t size() const override { return pictures_->size(); }
  const ExampleInfo& info(int64_t index) const override { return pictures_->info(index); }
  Example get(int64_t index) const override { return with_neighbours(pictures_->get(index), index); }
  Example sample(int64_t index, const Draw& draw) const override {
    return with_neighbours(pictures_->sample(index, draw), index);
  }
  Conditions null_conditions() const override { return pictures_->null_conditions(); }
  std::string fingerprint() const override { return pictures_->fingerprint(); }

 private:
  Example with_neighbours(Example example, int64_t index) const {
    example.conditions["neighbours"] = neighbours_[index];
    return example;
  }

  DatasetPtr pictures_;
  torch::Tensor neighbours_;  // [size, k, D]
};

}  // namespace

DatasetPtr make_neighbour_set(DatasetPtr pictures, const NeighbourBank& bank, int64_t k) {
  check(bank.size() == pictures->size(), "make_neighbour_set: expected a row for each of ", pictures->size(),
        " pictures, got ", bank.size());
  torch::Tensor rows = at::empty({bank.size()}, at::kLong);
  std::vector<int64_t> itself(static_cast<size_t>(bank.size()));
  std::iota(itself.begin(), itself.end(), 0);
  std::copy(itself.begin(), itself.end(), rows.mutable_data_ptr<int64_t>());
  const auto found = bank.search(bank.gather(rows), k, itself);
  return std::make_shared<NeighbourSet>(std::move(pictures), bank.gather(found.indices));
}

}  // namespace ldm
