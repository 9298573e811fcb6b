#include "ldm/data/coco.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/io/file.h"
#include "ldm/io/json.h"

namespace ldm {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxCocoBytes = uint64_t{2} << 30;
constexpr int64_t kMaxCocoSide = 65'536;
constexpr std::string_view kSkippedKeys[] = {"segmentation", "info", "licenses", "keypoints"};

// Reads the lists of one file; every complaint names the list and the entry.
class CocoReader {
 public:
  CocoReader(const Json& json, std::string_view what) : json_(json), what_(what) {
    check(json_.is_object() && json_.contains("images") && json_.contains("annotations"), ErrorKind::kFormat,
          what_, ": expected an object with images and annotations (COCO)");
  }

  CocoSet read() {
    if (json_.contains("categories")) {
      each("categories", [&](const Json& entry) { add_category(entry); });
    }
    sort_by_id(set_.categories, categories_);
    each("images", [&](const Json& entry) { add_image(entry); });
    sort_by_id(set_.images, images_);
    each("annotations", [&](const Json& entry) { add_annotation(entry); });
    return std::move(set_);
  }

 private:
  template <typename Add>
  void each(const char* list, Add add) {
    const Json& entries = json_[list];
    check(entries.is_array(), ErrorKind::kFormat, what_, ": expected a list as ", list);
    list_ = list;
    index_ = 0;
    for (const Json& entry : entries) {
      require(entry.is_object(), "an object");
      add(entry);
      ++index_;
    }
  }

  void require(bool ok, std::string_view expected) const {
    check(ok, ErrorKind::kFormat, what_, ": ", list_, "[", index_, "]: expected ", expected);
  }

  int64_t integer(const Json& entry, const char* key) const {
    const auto found = entry.find(key);
    require(found != entry.end() && found->is_number_integer(), std::string("an integer as ") + key);
    require(!found->is_number_unsigned() || found->get<uint64_t>() <= uint64_t{1} << 62, "a smaller number");
    return found->get<int64_t>();
  }

  std::string text(const Json& entry, const char* key, bool needed) const {
    const auto found = entry.find(key);
    if (found == entry.end() && !needed) return "";
    require(found != entry.end() && found->is_string(), std::string("a string as ") + key);
    return found->get<std::string>();
  }

  void add_category(const Json& entry) {
    set_.categories.push_back(
        {integer(entry, "id"), text(entry, "name", true), text(entry, "supercategory", false)});
  }

  void add_image(const Json& entry) {
    CocoImage image;
    image.id = integer(entry, "id");
    if (entry.contains("file_name")) image.file_name = file_name(entry);
    image.width = integer(entry, "width");
    image.height = integer(entry, "height");
    const auto sane = [](int64_t side) { return side >= 1 && side <= kMaxCocoSide; };
    require(sane(image.width) && sane(image.height), "width and height of 1 to 65536");
    set_.images.push_back(std::move(image));
  }

  std::string file_name(const Json& entry) const {
    const auto name = fs::path(text(entry, "file_name", true)).lexically_normal().generic_string();
    require(!name.empty() && !name.starts_with("/") && !name.starts_with(".."),
            "a file_name inside the folder");
    return name;
  }

  void add_annotation(const Json& entry) {
    const auto image = images_.find(integer(entry, "image_id"));
    require(image != images_.end(), "the image_id of a picture of the file");
    CocoImage& owner = set_.images[image->second];
    if (entry.contains("caption")) owner.captions.push_back(text(entry, "caption", true));
    if (!entry.contains("bbox")) return;
    const auto category = categories_.find(integer(entry, "category_id"));
    require(category != categories_.end(), "the category_id of a category of the file");
    LayoutObject object;
    object.category = static_cast<int64_t>(category->second);
    object.box = relative_box(entry["bbox"], owner);
    object.group = entry.contains("iscrowd") && integer(entry, "iscrowd") != 0;
    owner.objects.push_back(object);
  }

  RelativeBox relative_box(const Json& box, const CocoImage& image) const {
    require(box.is_array() && box.size() == 4, "bbox as [x, y, width, height]");
    double v[4];
    for (size_t i = 0; i < 4; ++i) {
      require(box[i].is_number(), "numbers in bbox");
      v[i] = box[i].get<double>();
      require(std::isfinite(v[i]) && std::abs(v[i]) <= 1e9, "finite numbers in bbox");
    }
    require(v[2] >= 0 && v[3] >= 0, "bbox of width and height >= 0");
    const auto w = static_cast<double>(image.width), h = static_cast<double>(image.height);
    const double x0 = std::clamp(v[0] / w, 0.0, 1.0), x1 = std::clamp((v[0] + v[2]) / w, 0.0, 1.0);
    const double y0 = std::clamp(v[1] / h, 0.0, 1.0), y1 = std::clamp((v[1] + v[3]) / h, 0.0, 1.0);
    return {x0, y0, x1 - x0, y1 - y0};
  }

  template <typename Entry>
  void sort_by_id(std::vector<Entry>& entries, std::map<int64_t, size_t>& places) {
    std::stable_sort(entries.begin(), entries.end(),
                     [](const Entry& a, const Entry& b) { return a.id < b.id; });
    for (size_t i = 0; i < entries.size(); ++i) {
      check(places.emplace(entries[i].id, i).second, ErrorKind::kFormat, what_, ": expected each id once in ",
            list_, ", got ", entries[i].id, " twice");
    }
  }

  const Json& json_;
  std::string_view what_;
  const char* list_ = "";
  int64_t index_ = 0;
  CocoSet set_;
  std::map<int64_t, size_t> categories_, images_;
};

}  // namespace

CocoSet parse_coco(std::span<const std::byte> bytes, std::string_view what) {
  const Json json =
      parse_json(bytes, what, {.max_bytes = kMaxCocoBytes, .max_depth = 8, .skip = kSkippedKeys});
  return CocoReader(json, what).read();
}

CocoSet read_coco(const fs::path& path) { return parse_coco(MappedFile(path).bytes(), path.string()); }

void add_captions(CocoSet& set, const CocoSet& captions) {
  std::map<int64_t, const CocoImage*> by_id;
  for (const CocoImage& image : captions.images) by_id[image.id] = &image;
  for (CocoImage& image : set.images) {
    const auto found = by_id.find(image.id);
    if (found == by_id.end()) continue;
    const auto& more = found->second->captions;
    image.captions.insert(image.captions.end(), more.begin(), more.end());
  }
}

CocoSet filter_coco(CocoSet set, const CocoFilter& filter) {
  check(filter.min_objects >= 0 && filter.min_objects <= filter.max_objects,
        "filter_coco: expected 0 <= min_objects <= max_objects, got ", filter.min_objects, " and ",
        filter.max_objects);
  for (CocoImage& image : set.images) {
    std::erase_if(image.objects,
                  [&](const LayoutObject& o) { return o.box.width * o.box.height <= filter.min_area; });
  }
  std::erase_if(set.images, [&](const CocoImage& image) {
    const auto count = static_cast<int64_t>(image.objects.size());
    return count < filter.min_objects || count > filter.max_objects;
  });
  return set;
}

}  // namespace ldm
