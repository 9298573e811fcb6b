#include <filesystem>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/data/picture_tensor.h"
#include "ldm/data/task_sets.h"
#include "ldm/image/label_picture.h"

namespace ldm {
namespace {

namespace fs = std::filesystem;

class SegmentationSet : public Dataset {
 public:
  SegmentationSet(PictureFiles files, LabelTable table, const SegmentationOptions& options)
      : files_(std::move(files)), table_(std::move(table)), options_(options) {}

  int64_t size() const override { return files_.size(); }
  const ExampleInfo& info(int64_t index) const override { return files_.info(index); }
  Example get(int64_t index) const override { return sample(index, {0, 0, static_cast<uint64_t>(index)}); }

  Example sample(int64_t index, const Draw& draw) const override {
    const auto [found, image] = files_.read(index);
    const auto path = label_path(files_.info(found).id);
    Image labels = read_label_picture(path);
    check(labels.width == image.width && labels.height == image.height, ErrorKind::kData, path.string(),
          ": expected labels ", image.width, "x", image.height, ", got ", labels.width, "x", labels.height);
    check_labels(labels, table_, path.string(), options_.ignore);
    Image picture = prepare_lsun(image, options_.size);
    labels = centre_crop_square(labels);
    if (options_.flip && draw.stream("flip").below(2) == 1) {
      picture = flip_horizontal(picture);
      labels = flip_horizontal(labels);
    }
    auto map = one_hot_labels(labels, table_, options_.size, options_.size, options_.ignore);
    return {files_.info(found), picture_tensor(picture), {{"segmentation", std::move(map)}}};
  }

  bool pictures_vary() const override { return options_.flip; }

  std::string fingerprint() const override {
    return files_.fingerprint("segmentation " + std::to_string(options_.size));
  }

 private:
  // images/a/x.jpg -> labels/a/x.png
  fs::path label_path(const std::string& id) const {
    const std::string prefix = options_.pictures + "/";
    const std::string rest = id.starts_with(prefix) ? id.substr(prefix.size()) : id;
    return files_.folder() / options_.labels / fs::path(rest).replace_extension(".png");
  }

  PictureFiles files_;
  LabelTable table_;
  SegmentationOptions options_;
};

}  // namespace

DatasetPtr make_segmentation_set(PictureFiles files, LabelTable table, const SegmentationOptions& options) {
  check(options.size >= 1, "make_segmentation_set: expected a size >= 1, got ", options.size);
  check(table.size() >= 1, "make_segmentation_set: expected a label table with labels, got none");
  return std::make_shared<SegmentationSet>(std::move(files), std::move(table), options);
}

}  // namespace ldm
