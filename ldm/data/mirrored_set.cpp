#include <utility>

#include "ldm/core/error.h"
#include "ldm/data/picture_tensor.h"
#include "ldm/data/task_sets.h"

namespace ldm {
namespace {

class MirroredSet : public Dataset {
 public:
  explicit MirroredSet(DatasetPtr pictures) : pictures_(std::move(pictures)) {}

  int64_t size() const override { return pictures_->size(); }
  const ExampleInfo& info(int64_t index) const override { return pictures_->info(index); }
  Example get(int64_t index) const override { return pictures_->get(index); }

  Example sample(int64_t index, const Draw& draw) const override {
    Example example = pictures_->sample(index, draw);
    check(example.conditions.empty(), "make_mirrored_set: expected a set without conditions");
    if (draw.stream("flip").below(2) == 1)
      example.image = picture_tensor(flip_horizontal(picture_of(example.image)));
    return example;
  }

  bool pictures_vary() const override { return true; }
  std::string fingerprint() const override { return pictures_->fingerprint(); }

 private:
  DatasetPtr pictures_;
};

}  // namespace

DatasetPtr make_mirrored_set(DatasetPtr pictures) {
  return std::make_shared<MirroredSet>(std::move(pictures));
}

}  // namespace ldm
