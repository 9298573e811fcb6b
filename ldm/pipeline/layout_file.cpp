#include "ldm/pipeline/layout_file.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <sstream>

#include "ldm/core/error.h"
#include "ldm/core/names.h"
#include "ldm/data/coco.h"
#include "ldm/io/json.h"
#include "ldm/io/printable.h"
#include "ldm/pipeline/class_names.h"

namespace ldm {
namespace {

constexpr size_t kMostObjects = 10000;
const std::vector<std::string> kBoxKeys{"category", "bbox",      "iscrowd", "group",
                                        "occluded", "depiction", "inside"};
const std::vector<std::string> kSceneKeys{"width", "height", "objects"};

// x, y, width, height as the file has them.
using LayoutBox = std::array<double, 4>;

class LayoutReader {
 public:
  LayoutReader(std::string_view what, std::span<const std::string> names, int64_t classes)
      : what_(what), names_(names), classes_(classes) {}

  std::vector<int64_t> tokens(const Json& list) const {
    std::vector<int64_t> out;
    for (const auto& entry : list) {
      require(entry.is_number_integer(), "whole numbers alone, as tokens");
      out.push_back(entry.get<int64_t>());
    }
    return out;
  }

  // Boxes in units of width x height; without them as the list itself tells.
  std::vector<LayoutObject> objects(const Json& list, std::optional<std::pair<double, double>> size,
                                    int64_t canvas_width, int64_t canvas_height) {
    require(list.size() <= kMostObjects, "at most 10000 objects");
    std::vector<LayoutBox> boxes;
    double largest = 0;
    for (size_t k = 0; k < list.size(); ++k) {
      place_ = k;
      boxes.push_back(box(list[k]));
      for (const double number : boxes.back()) largest = std::max(largest, number);
    }
    const auto canvas = std::pair(static_cast<double>(canvas_width), static_cast<double>(canvas_height));
    const auto [width, height] = size ? *size : largest <= 1 ? std::pair(1.0, 1.0) : canvas;
    std::vector<LayoutObject> out;
    for (size_t k = 0; k < boxes.size(); ++k) {
      place_ = k;
      auto object = flags(list[k]);
      object.category = category(list[k]);
      object.box = relative(boxes[k], width, height);
      out.push_back(object);
    }
    place_.reset();
    return out;
  }

  int64_t category_of(const std::string& name) const {
    try {
      return find_class(name, names_, classes_);
    } catch (const Error& error) {
      fail(error.kind(), what_, ": ", error.what());
    }
  }

  void require(bool ok, std::string_view expected) const {
    if (!ok) fail(ErrorKind::kFormat, what_, place(), ": expected ", expected);
  }

  void require_keys(const Json& object, const std::vector<std::string>& known) const {
    for (const auto& entry : object.items()) {
      const auto& key = entry.key();
      check(std::find(known.begin(), known.end(), key) != known.end(), ErrorKind::kFormat, what_, place(),
            ": expected ", join_names(known), ", got the unknown key ", printable(key),
            nearest_hint(key, known));
    }
  }

 private:
  std::string place() const { return place_ ? ": box[" + std::to_string(*place_) + "]" : ""; }

  LayoutBox box(const Json& entry) const {
    require(
        entry.is_object() && entry.contains("bbox") && entry.contains("category"),
        "an object with category and bbox, as in {\"category\": \"dog\", \"bbox\": [0.1, 0.2, 0.5, 0.5]}");
    require_keys(entry, kBoxKeys);
    const auto& list = entry["bbox"];
    require(list.is_array() && list.size() == 4, "bbox as [x, y, width, height]");
    LayoutBox out{};
    for (size_t i = 0; i < 4; ++i) {
      require(list[i].is_number(), "numbers in bbox");
      out[i] = list[i].get<double>();
      require(std::isfinite(out[i]) && std::abs(out[i]) <= 1e9, "finite numbers in bbox");
    }
    require(out[2] > 0 && out[3] > 0, "bbox of width and height above 0");
    return out;
  }

  int64_t category(const Json& entry) const {
    const auto& value = entry["category"];
    if (value.is_string()) return category_of(value.get<std::string>());
    require(value.is_number_unsigned(), "a category as a name or a number from 0");
    return category_of(std::to_string(value.get<uint64_t>()));
  }

  LayoutObject flags(const Json& entry) const {
    const auto flag = [&](const char* key) {
      const auto found = entry.find(key);
      if (found == entry.end()) return false;
      require(found->is_boolean() || found->is_number_integer(), std::string("true or false as ") + key);
      return found->is_boolean() ? found->get<bool>() : found->get<int64_t>() != 0;
    };
    LayoutObject out;
    out.group = flag("iscrowd") || flag("group");
    out.occluded = flag("occluded");
    out.depiction = flag("depiction");
    out.inside = flag("inside");
    return out;
  }

  RelativeBox relative(const LayoutBox& box, double width, double height) const {
    const auto part = [](double at, double of) { return std::clamp(at / of, 0.0, 1.0); };
    const double x = part(box[0], width), y = part(box[1], height);
    const RelativeBox out{x, y, part(box[0] + box[2], width) - x, part(box[1] + box[3], height) - y};
    std::ostringstream expected;
    expected << "a bbox that meets the picture of " << width << "x" << height;
    require(out.width > 0 && out.height > 0, expected.str());
    return out;
  }

  std::string_view what_;
  std::span<const std::string> names_;
  int64_t classes_;
  std::optional<size_t> place_;  // In the list of boxes, while they are read.
};

// Categories of the file become those of the model by their names; where the model has no names, by their
// place, as in training.
std::vector<LayoutObject> coco_objects(std::span<const std::byte> json, std::string_view what, bool named,
                                       int64_t classes, const LayoutReader& reader) {
  const auto set = parse_coco(json, what);
  reader.require(set.images.size() == 1,
                 "annotations of one picture, got those of " + std::to_string(set.images.size()));
  auto objects = set.images.front().objects;
  for (auto& object : objects) {
    const auto number = object.category;
    if (named) object.category = reader.category_of(set.categories[static_cast<size_t>(number)].name);
    reader.require(object.box.width > 0 && object.box.height > 0,
                   "boxes that meet the picture, got one of " +
                       printable(set.categories[static_cast<size_t>(number)].name) + " that does not");
    check(object.category < classes, what, ": the model has ", classes, " categories, got number ",
          object.category);
  }
  return objects;
}

}  // namespace

LayoutScene parse_layout(std::span<const std::byte> json, std::string_view what,
                         std::span<const std::string> class_names, int64_t classes, int64_t width,
                         int64_t height) {
  const auto file = parse_json(json, what, {.max_bytes = 16 << 20, .max_depth = 16});
  LayoutReader reader(what, class_names, classes);
  LayoutScene out;
  if (file.is_object() && file.contains("annotations")) {
    out.objects = coco_objects(json, what, !class_names.empty(), classes, reader);
  } else if (file.is_object()) {
    const auto side = [&](const char* key) {
      const bool there = file.contains(key) && file[key].is_number();
      reader.require(there && file[key].get<double>() > 0, std::string("a positive number as ") + key);
      return file[key].get<double>();
    };
    reader.require_keys(file, kSceneKeys);
    const double wide = side("width"), high = side("height");
    reader.require(file.contains("objects") && file["objects"].is_array(), "a list as objects");
    out.objects = reader.objects(file["objects"], std::pair(wide, high), width, height);
  } else {
    reader.require(file.is_array(), "a list of boxes or of tokens, or COCO annotations");
    if (!file.empty() && file.front().is_number())
      out.tokens = reader.tokens(file);
    else
      out.objects = reader.objects(file, std::nullopt, width, height);
  }
  return out;
}

}  // namespace ldm
