#include <ATen/ops/upsample_nearest2d.h>

#include <utility>

#include "ldm/core/error.h"
#include "ldm/data/picture_tensor.h"
#include "ldm/data/task_sets.h"

namespace ldm {
namespace {

class InpaintingSet : public Dataset {
 public:
  InpaintingSet(DatasetPtr pictures, const MaskOptions& options)
      : pictures_(std::move(pictures)), options_(options) {}

  int64_t size() const override { return pictures_->size(); }
  const ExampleInfo& info(int64_t index) const override { return pictures_->info(index); }
  Example get(int64_t index) const override { return sample(index, {0, 0, static_cast<uint64_t>(index)}); }

  Example sample(int64_t index, const Draw& draw) const override {
    Example example = pictures_->sample(index, draw);
    const Image image = picture_of(example.image);
    const Image mask = draw_mask(image.width, image.height, options_, draw.stream("mask"));
    example.conditions["mask"] = unit_tensor(mask);
    example.conditions["masked_image"] = unit_tensor(apply_mask(image, mask));
    return example;
  }

  bool pictures_vary() const override { return pictures_->pictures_vary(); }
  Conditions null_conditions() const override { return pictures_->null_conditions(); }
  std::string fingerprint() const override { return pictures_->fingerprint(); }

 private:
  DatasetPtr pictures_;
  MaskOptions options_;
};

}  // namespace

DatasetPtr make_inpainting_set(DatasetPtr pictures, const MaskOptions& options) {
  check_mask_options(options);
  return std::make_shared<InpaintingSet>(std::move(pictures), options);
}

torch::Tensor mask_for_latents(const torch::Tensor& mask, int64_t height, int64_t width) {
  check(mask.dim() == 4 && mask.size(1) == 1 && height >= 1 && width >= 1,
        "mask_for_latents: expected a mask [N, 1, H, W] and sizes >= 1, got ", mask.sizes(), " and ", width,
        "x", height);
  return at::upsample_nearest2d(mask, {height, width});
}

}  // namespace ldm
