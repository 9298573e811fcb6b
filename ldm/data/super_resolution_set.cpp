#include <utility>

#include "ldm/core/error.h"
#include "ldm/data/degradation.h"
#include "ldm/data/picture_tensor.h"
#include "ldm/data/task_sets.h"

namespace ldm {
namespace {

class SuperResolutionSet : public Dataset {
 public:
  SuperResolutionSet(PictureFiles files, const SuperResolutionOptions& options)
      : files_(std::move(files)), options_(options) {}

  int64_t size() const override { return files_.size(); }
  const ExampleInfo& info(int64_t index) const override { return files_.info(index); }
  Example get(int64_t index) const override { return sample(index, {0, 0, static_cast<uint64_t>(index)}); }

  Example sample(int64_t index, const Draw& draw) const override {
    const auto [found, image] = files_.read(index);
    Random random = draw.stream("crop");
    const SquareCrop square = draw_square_crop(image.width, image.height, options_.crop, random);
    Image high = prepare_crop(image, square, options_.size);
    if (options_.flip && draw.stream("flip").below(2) == 1) high = flip_horizontal(high);
    Image low = degrade(high, options_.degradation, options_.factor, draw.stream("degradation"));
    if (options_.enlarge) low = resize(low, options_.size, options_.size, Filter::kBicubic);
    return {files_.info(found), picture_tensor(high), {{"LR_image", unit_tensor(low)}}};
  }

  bool pictures_vary() const override {
    const SquareCropOptions& crop = options_.crop;
    return options_.flip || crop.random || crop.min_crop < crop.max_crop;
  }

  std::string fingerprint() const override {
    return files_.fingerprint("super-resolution " + std::to_string(options_.size) + " " +
                              options_.degradation + " " + std::to_string(options_.factor));
  }

 private:
  PictureFiles files_;
  SuperResolutionOptions options_;
};

}  // namespace

DatasetPtr make_super_resolution_set(PictureFiles files, const SuperResolutionOptions& options) {
  check_crop_options(options.crop);
  check_degradation(options.degradation);
  check(options.factor >= 1 && options.size >= options.factor && options.size % options.factor == 0,
        "make_super_resolution_set: expected a size that is a multiple of downscale_f, got ", options.size,
        " and ", options.factor);
  return std::make_shared<SuperResolutionSet>(std::move(files), options);
}

}  // namespace ldm
