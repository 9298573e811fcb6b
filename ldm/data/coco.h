#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ldm/data/layout_tokens.h"

namespace ldm {

struct CocoCategory {
  int64_t id = 0;  // As the file numbers them, with gaps.
  std::string name, supercategory;
};

// One picture of an annotation file.
struct CocoImage {
  int64_t id = 0;
  std::string file_name;  // Inside the folder of pictures, with "/"; "" where the file has none.
  int64_t width = 0, height = 0;
  std::vector<LayoutObject>
      objects;  // category = index in CocoSet::categories, boxes relative; iscrowd is group.
  std::vector<std::string> captions;
};

struct CocoSet {
  std::vector<CocoCategory> categories;  // By id, ascending.
  std::vector<CocoImage> images;         // By id, ascending.
};

// Reads COCO annotations (https://cocodataset.org/#format-data): "images", and "annotations" with boxes (then
// "categories" too) or captions, or both. Boxes [x, y, width, height] in pixels are cut at the picture's
// edges; segmentations are not kept. Throws kFormat (message begins with `what`) for anything else:
// annotations of an unknown picture or category, an id twice, a path out of the folder, sizes below 1 or
// above 65536.
CocoSet parse_coco(std::span<const std::byte> bytes, std::string_view what);

// parse_coco of a file. Throws kData if it cannot be read.
CocoSet read_coco(const std::filesystem::path& path);

// The captions of one file into the pictures of another, by picture id; captions of pictures that are not in
// `set` are left out.
void add_captions(CocoSet& set, const CocoSet& captions);

// taming-transformers' choice of objects: those above `min_area` of the picture; a picture is kept if it has
// min_objects to max_objects of them.
struct CocoFilter {
  double min_area = 1e-4;
  int64_t min_objects = 2;
  int64_t max_objects = 30;

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("min_object_area", min_area, "objects smaller than this part of the picture are left out");
    visit("min_objects_per_image", min_objects, "pictures with fewer objects are left out");
    visit("max_objects_per_image", max_objects, "pictures with more objects are left out");
  }
};
CocoSet filter_coco(CocoSet set, const CocoFilter& filter);

}  // namespace ldm
