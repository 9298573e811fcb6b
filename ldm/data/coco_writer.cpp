#include "ldm/data/coco_writer.h"

#include <utility>

#include "ldm/core/error.h"
#include "ldm/io/file.h"

namespace ldm {

std::vector<int64_t> run_lengths(const Image& grey, uint8_t value) {
  check(grey.channels == 1, "run_lengths: expected a picture with 1 channel, got ", grey.channels);
  std::vector<int64_t> runs{0};
  bool inside = false;
  for (int64_t x = 0; x < grey.width; ++x) {
    for (int64_t y = 0; y < grey.height; ++y) {
      if ((grey.row(y)[x] == value) != inside) {
        inside = !inside;
        runs.push_back(0);
      }
      ++runs.back();
    }
  }
  return runs;
}

CocoWriter::CocoWriter(std::string description) : description_(std::move(description)) {}

void CocoWriter::add_category(const CocoCategory& category) {
  categories_.push_back(
      {{"supercategory", category.supercategory}, {"id", category.id}, {"name", category.name}});
}

void CocoWriter::add_image(int64_t id, const std::string& file_name, int64_t width, int64_t height) {
  images_.push_back(
      {{"license", 1}, {"file_name", file_name}, {"height", height}, {"width", width}, {"id", id}});
}

void CocoWriter::add_object(int64_t image, int64_t category, std::span<const int64_t, 4> box, int64_t area,
                            const std::vector<int64_t>& runs) {
  const Ordered& picture = images_.back();
  objects_.push_back(
      {{"segmentation", {{"counts", runs}, {"size", {picture.at("height"), picture.at("width")}}}},
       {"area", area},
       {"iscrowd", 0},
       {"image_id", image},
       {"bbox", {box[0], box[1], box[2], box[3]}},
       {"category_id", category},
       {"id", objects_.size() + 1}});
}

void CocoWriter::add_caption(int64_t image, const std::string& caption) {
  captions_.push_back({{"image_id", image}, {"id", captions_.size() + 1}, {"caption", caption}});
}

void CocoWriter::write_instances(const std::filesystem::path& path) const {
  Ordered json = document(objects_);
  json["categories"] = categories_;
  write_file_atomic(path, json.dump() + "\n");
}

void CocoWriter::write_captions(const std::filesystem::path& path) const {
  write_file_atomic(path, document(captions_).dump() + "\n");
}

CocoWriter::Ordered CocoWriter::document(const Ordered& annotations) const {
  return {{"info", {{"description", description_}, {"version", "1.0"}}},
          {"licenses", {{{"id", 1}, {"name", "SIL Open Font License 1.1 (pictures of the font)"}}}},
          {"images", images_},
          {"annotations", annotations}};
}

}  // namespace ldm
