#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "ldm/core/error.h"
#include "ldm/data/neighbour_index.h"
#include "ldm/data/picture_tensor.h"
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
  bool pictures_vary() const override { return pictures_->pictures_vary(); }
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

DatasetPtr make_neighbour_set(DatasetPtr pictures, const NeighbourBank& bank, int64_t k,
                              NeighbourSearch search) {
  check(bank.size() == pictures->size(), "make_neighbour_set: expected a row for each of ", pictures->size(),
        " pictures, got ", bank.size());
  torch::Tensor rows = at::empty({bank.size()}, at::kLong);
  std::vector<int64_t> itself(static_cast<size_t>(bank.size()));
  std::iota(itself.begin(), itself.end(), 0);
  std::copy(itself.begin(), itself.end(), rows.mutable_data_ptr<int64_t>());
  const auto found = search == NeighbourSearch::kExact
                         ? bank.search(bank.gather(rows), k, itself)
                         : NeighbourIndex(bank).search(bank.gather(rows), k, itself);
  return std::make_shared<NeighbourSet>(std::move(pictures), bank.gather(found.indices));
}

torch::Tensor thumbnail_embedding(const Image& picture) {
  constexpr int64_t kSide = 8;
  const Image small = resize(to_rgb(picture), kSide, kSide, Filter::kBox);
  torch::Tensor out = at::empty({3 * kSide * kSide}, at::kFloat);
  std::transform(small.pixels.begin(), small.pixels.end(), out.mutable_data_ptr<float>(),
                 [](uint8_t v) { return 1.0F - static_cast<float>(v) / 256.0F; });
  return out;
}

NeighbourBank thumbnail_bank(const Dataset& pictures) {
  std::vector<torch::Tensor> rows;
  for (int64_t i = 0; i < pictures.size(); ++i) {
    rows.push_back(thumbnail_embedding(picture_of(pictures.get(i).image)));
  }
  return NeighbourBank(at::stack(rows));
}

}  // namespace ldm
