#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "ldm/core/error.h"
#include "ldm/data/picture_tensor.h"
#include "ldm/data/task_sets.h"

namespace ldm {
namespace {

torch::Tensor token_tensor(const std::vector<int64_t>& tokens) {
  torch::Tensor out = at::empty({static_cast<int64_t>(tokens.size())}, at::kLong);
  std::memcpy(out.mutable_data_ptr<int64_t>(), tokens.data(), tokens.size() * sizeof(int64_t));
  return out;
}

std::vector<ExampleInfo> layout_infos(const CocoSet& set) {
  std::vector<ExampleInfo> out;
  for (const CocoImage& image : set.images) {
    check(!image.file_name.empty(), ErrorKind::kData,
          "make_layout_set: expected a file_name for each picture of the annotations, that of id ", image.id,
          " has none");
    ExampleInfo info;
    info.id = image.file_name;
    if (!image.captions.empty()) info.words.text = image.captions.front();
    out.push_back(std::move(info));
  }
  return out;
}

class LayoutSet : public Dataset {
 public:
  LayoutSet(const std::string& folder, CocoSet annotations, const LayoutSetOptions& options)
      : files_(folder, layout_infos(annotations)),
        images_(std::move(annotations.images)),
        options_(options),
        tokenizer_(options.tokens) {}

  int64_t size() const override { return files_.size(); }
  const ExampleInfo& info(int64_t index) const override { return files_.info(index); }
  Example get(int64_t index) const override { return sample(index, {0, 0, static_cast<uint64_t>(index)}); }

  Example sample(int64_t index, const Draw& draw) const override {
    const auto [found, image] = files_.read(index);
    auto [cut, box] = cut_square(image, draw.stream("crop"));
    const bool flip = options_.flip && draw.stream("flip").below(2) == 1;
    if (flip) cut = flip_horizontal(cut);
    const auto tokens =
        tokenizer_.encode(images_[static_cast<size_t>(found)].objects, box, flip, draw.stream("layout"));
    return {files_.info(found), picture_tensor(cut), {{"objects_bbox", token_tensor(tokens)}}};
  }

  bool pictures_vary() const override { return options_.flip || options_.crop_method.starts_with("random"); }
  Conditions null_conditions() const override { return {{"objects_bbox", token_tensor(tokenizer_.empty())}}; }

  std::string fingerprint() const override {
    return files_.fingerprint("layout " + std::to_string(options_.size) + " " + options_.crop_method);
  }

 private:
  struct Cut {
    Image image;
    RelativeBox box;
  };

  // A square of the picture by the crop method, at the wanted size. torchvision resizes with antialiasing
  // here.
  Cut cut_square(const Image& image, Random random) const {
    const int64_t size = options_.size, shorter = std::min(image.width, image.height);
    if (options_.crop_method == "none") return {resize(image, size, size, Filter::kBilinear), {}};
    int64_t side = shorter, x = (image.width - side) / 2, y = (image.height - side) / 2;
    if (options_.crop_method == "random-2d" && shorter > size) side = size + random.below(shorter - size + 1);
    if (options_.crop_method != "center") {
      y = random.below(image.height - side + 1);
      x = random.below(image.width - side + 1);
    }
    const auto w = static_cast<double>(image.width), h = static_cast<double>(image.height);
    return {resize(crop(image, x, y, side, side), size, size, Filter::kBilinear),
            {static_cast<double>(x) / w, static_cast<double>(y) / h, static_cast<double>(side) / w,
             static_cast<double>(side) / h}};
  }

  PictureFiles files_;
  std::vector<CocoImage> images_;
  LayoutSetOptions options_;
  LayoutTokenizer tokenizer_;
};

}  // namespace

DatasetPtr make_layout_set(const std::string& folder, CocoSet annotations, LayoutSetOptions options) {
  const std::string& method = options.crop_method;
  check(method == "none" || method == "center" || method == "random-1d" || method == "random-2d",
        "make_layout_set: expected none, center, random-1d or random-2d as crop_method, got '", method, "'");
  check(options.size >= 1, "make_layout_set: expected a size >= 1, got ", options.size);
  if (options.tokens.classes == 0)
    options.tokens.classes = static_cast<int64_t>(annotations.categories.size());
  check(options.tokens.classes >= static_cast<int64_t>(annotations.categories.size()),
        "make_layout_set: expected at least ", annotations.categories.size(), " no_classes, got ",
        options.tokens.classes);
  return std::make_shared<LayoutSet>(folder, std::move(annotations), options);
}

}  // namespace ldm
