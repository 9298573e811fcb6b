#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ldm/data/layout_tokens.h"

namespace ldm {

// What a layout file may hold, as JSON:
//   [17, 250, 8100, ...]                              tokens, as the original makes them
//   [{"category": "dog", "bbox": [x, y, w, h]}, ...]  boxes; a category by name or number; "iscrowd"
//                                                     (or "group"), "occluded", "depiction" and "inside" may
//                                                     be true
//   {"width": 640, "height": 480, "objects": [...]}   the same in pixels of a picture of that size
//   {"images": [...], "annotations": [...], "categories": [...]}   COCO, of one picture
// Boxes of a bare list are parts of the picture if no number is above 1, else pixels of the canvas.
struct LayoutScene {
  std::vector<int64_t> tokens;        // Of the first form; else empty.
  std::vector<LayoutObject> objects;  // With categories of the model.
};

// class_names: the model's categories; classes: how many. width, height: of the canvas in pixels. Throws
// kFormat (message begins with `what`) for anything else, be it a key that is not named above or a box
// outside of the picture; and kUsage for categories that the model does not have.
LayoutScene parse_layout(std::span<const std::byte> json, std::string_view what,
                         std::span<const std::string> class_names, int64_t classes, int64_t width,
                         int64_t height);

}  // namespace ldm
