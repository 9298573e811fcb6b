#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ldm/core/random.h"

namespace ldm {

// A rectangle relative to its picture: x and y of the upper left corner, width and height, all in 0..1.
struct RelativeBox {
  double x = 0, y = 0, width = 1, height = 1;
  bool operator==(const RelativeBox&) const = default;
};

RelativeBox flip_box(const RelativeBox& box);  // Mirrored left to right.
double intersection_area(const RelativeBox& a, const RelativeBox& b);

// One thing in a picture. The flags are OpenImages'; COCO knows only group (iscrowd).
struct LayoutObject {
  int64_t category = 0;  // 0..classes - 1
  RelativeBox box;
  bool group = false, occluded = false, depiction = false, inside = false;
};

struct LayoutTokenOptions {
  int64_t classes = 0;  // Must be set: how many categories there are.
  int64_t max_objects = 30;
  int64_t tokens = 8192;    // Size of the vocabulary; the last one stands for "nothing".
  bool encode_crop = true;  // Two tokens more, for where the picture was cut out.
  bool use_group = true;
  bool use_additional = true;  // occluded, depiction, inside.

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("no_classes", classes, "number of categories; 0: as many as the annotations have");
    visit("max_objects", max_objects, "objects of a picture at most; the rest is left out");
    visit("no_tokens", tokens, "size of the vocabulary");
    visit("encode_crop", encode_crop, "end with two tokens for the crop");
    visit("use_group_parameter", use_group, "tell groups from single things");
    visit("use_additional_parameters", use_additional, "tell occluded, depicted and inside things");
  }
};

// The layout of a picture as a sequence of numbers, by the rules of taming-transformers'
// ObjectsBoundingBoxConditionalBuilder: three tokens an object (what, upper left, lower right), padded to
// max_objects, then two for the crop. With the defaults 92 tokens.
class LayoutTokenizer {
 public:
  // Throws kUsage for options out of range, and where a class with all its flags would not fit the
  // vocabulary.
  explicit LayoutTokenizer(const LayoutTokenOptions& options);

  int64_t length() const { return 3 * options_.max_objects + (options_.encode_crop ? 2 : 0); }
  int64_t max_objects() const { return options_.max_objects; }
  int64_t nothing() const { return options_.tokens - 1; }
  std::vector<int64_t> empty() const;  // No objects, no crop: what an absent layout is.

  // The first max_objects objects in an order drawn by `random`, less those that do not meet the crop. With
  // encode_crop the boxes stay relative to the whole picture and the crop is told; without it they become
  // relative to the crop. flip: the picture is mirrored after cropping. Throws kUsage for a category out of
  // range or a box outside 0..1.
  std::vector<int64_t> encode(std::vector<LayoutObject> objects, const RelativeBox& crop, bool flip,
                              Random random) const;

  struct Layout {
    std::vector<LayoutObject> objects;
    std::optional<RelativeBox> crop;
  };
  // Back, boxes as exact as the grid of coordinates. Throws kUsage for another length or tokens out of range.
  Layout decode(const std::vector<int64_t>& tokens) const;

 private:
  int64_t coordinate_token(double x, double y) const;
  RelativeBox box_of(int64_t first, int64_t second) const;
  int64_t object_token(const LayoutObject& object) const;

  LayoutTokenOptions options_;
  int64_t sections_;  // Positions along each axis: floor(sqrt(tokens)).
};

}  // namespace ldm
