#include "ldm/data/dataset.h"

#include <span>
#include <string_view>
#include <utility>

#include "ldm/core/crc32c.h"
#include "ldm/core/error.h"
#include "ldm/core/sha256.h"
#include "ldm/io/file.h"

namespace ldm {
namespace {

size_t at(int64_t index, size_t size) {
  check(index >= 0 && index < static_cast<int64_t>(size), "Dataset: expected an index below ", size, ", got ",
        index);
  return static_cast<size_t>(index);
}

class MemoryDataset : public Dataset {
 public:
  explicit MemoryDataset(std::vector<Example> examples) : examples_(std::move(examples)) {
    for (const Example& example : examples_) {
      const torch::Tensor& image = example.image;
      check(image.dim() == 3 && image.size(0) == 3 && image.scalar_type() == at::kByte &&
                image.is_contiguous() && image.sizes() == examples_[0].image.sizes(),
            "make_memory_dataset: expected uint8 pictures [3, H, W] of one size, got ", image.sizes(),
            " for ", example.info.id);
    }
  }

  int64_t size() const override { return static_cast<int64_t>(examples_.size()); }
  const ExampleInfo& info(int64_t index) const override {
    return examples_[at(index, examples_.size())].info;
  }
  Example get(int64_t index) const override { return examples_[at(index, examples_.size())]; }

  std::string fingerprint() const override {
    Sha256 hash;
    for (const Example& example : examples_) {
      hash.update(as_bytes(example.info.id));
      hash.update({static_cast<const std::byte*>(example.image.const_data_ptr()),
                   static_cast<size_t>(example.image.nbytes())});
    }
    return hash.hex();
  }

 private:
  std::vector<Example> examples_;
};

class Subset : public Dataset {
 public:
  Subset(DatasetPtr whole, std::vector<int64_t> indices)
      : whole_(std::move(whole)), indices_(std::move(indices)) {
    for (int64_t index : indices_) at(index, static_cast<size_t>(whole_->size()));
  }

  int64_t size() const override { return static_cast<int64_t>(indices_.size()); }
  const ExampleInfo& info(int64_t index) const override {
    return whole_->info(indices_[at(index, indices_.size())]);
  }
  Example get(int64_t index) const override { return whole_->get(indices_[at(index, indices_.size())]); }
  Example sample(int64_t index, const Draw& draw) const override {
    return whole_->sample(indices_[at(index, indices_.size())], draw);
  }
  bool pictures_vary() const override { return whole_->pictures_vary(); }
  Conditions null_conditions() const override { return whole_->null_conditions(); }

  std::string fingerprint() const override {
    Sha256 hash;
    hash.update(as_bytes(whole_->fingerprint()));
    hash.update(std::as_bytes(std::span(indices_)));
    return hash.hex();
  }

 private:
  DatasetPtr whole_;
  std::vector<int64_t> indices_;
};

}  // namespace

DatasetPtr make_memory_dataset(std::vector<Example> examples) {
  return std::make_shared<MemoryDataset>(std::move(examples));
}

DatasetPtr make_subset(DatasetPtr dataset, std::vector<int64_t> indices) {
  return std::make_shared<Subset>(std::move(dataset), std::move(indices));
}

std::string split_of(const ExampleInfo& info, double held_out_fraction) {
  if (!info.split.empty()) return info.split;
  return crc32c(as_bytes(info.id)) < held_out_fraction * 0x1p32 ? "heldout" : "train";
}

DatasetPtr make_split(const DatasetPtr& dataset, const std::string& split, double held_out_fraction) {
  check(held_out_fraction >= 0 && held_out_fraction <= 1,
        "make_split: expected a held-out fraction in [0, 1], got ", held_out_fraction);
  std::vector<int64_t> indices;
  for (int64_t i = 0; i < dataset->size(); ++i) {
    if (split_of(dataset->info(i), held_out_fraction) == split) indices.push_back(i);
  }
  return make_subset(dataset, std::move(indices));
}

}  // namespace ldm
