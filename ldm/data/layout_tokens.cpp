#include "ldm/data/layout_tokens.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ldm/core/error.h"

namespace ldm {
namespace {

constexpr double kBoxSlack = 1e-6;  // Annotated boxes may stick out by rounding.

bool inside_picture(const RelativeBox& b) {
  return b.x >= -kBoxSlack && b.y >= -kBoxSlack && b.width >= 0 && b.height >= 0 &&
         b.x + b.width <= 1 + kBoxSlack && b.y + b.height <= 1 + kBoxSlack;
}

// Relative to the crop instead of the picture, cut at its edges on the right and below as the original does.
RelativeBox rescale_box(const RelativeBox& box, const RelativeBox& crop, bool flip) {
  RelativeBox out;
  out.x = std::clamp((box.x - crop.x) / crop.width, 0.0, 1.0);
  out.y = std::clamp((box.y - crop.y) / crop.height, 0.0, 1.0);
  out.width = std::min(box.width / crop.width, 1 - out.x);
  out.height = std::min(box.height / crop.height, 1 - out.y);
  return flip ? flip_box(out) : out;
}

}  // namespace

RelativeBox flip_box(const RelativeBox& box) {
  return {1 - (box.x + box.width), box.y, box.width, box.height};
}

double intersection_area(const RelativeBox& a, const RelativeBox& b) {
  const double width = std::min(a.x + a.width, b.x + b.width) - std::max(a.x, b.x);
  const double height = std::min(a.y + a.height, b.y + b.height) - std::max(a.y, b.y);
  return std::max(width, 0.0) * std::max(height, 0.0);
}

LayoutTokenizer::LayoutTokenizer(const LayoutTokenOptions& options)
    : options_(options),
      sections_(static_cast<int64_t>(std::sqrt(static_cast<double>(std::max<int64_t>(options.tokens, 0))))) {
  check(options_.max_objects >= 1 && options_.max_objects <= 10'000,
        "LayoutTokenizer: expected 1 to 10000 max_objects, got ", options_.max_objects);
  check(options_.tokens >= 4 && options_.tokens <= 1 << 24,
        "LayoutTokenizer: expected 4 to 16777216 tokens, got ", options_.tokens);
  const int64_t most = (options_.use_group ? 1 : 0) + (options_.use_additional ? 14 : 0);
  check(options_.classes >= 1 && options_.classes <= (options_.tokens - 1) / (most + 1),
        "LayoutTokenizer: expected 1 to ", (options_.tokens - 1) / (most + 1), " classes for ",
        options_.tokens, " tokens and these flags, got ", options_.classes);
}

std::vector<int64_t> LayoutTokenizer::empty() const {
  std::vector<int64_t> out(static_cast<size_t>(length()), nothing());
  if (options_.encode_crop) {
    out[out.size() - 2] = coordinate_token(0, 0);
    out[out.size() - 1] = coordinate_token(1, 1);
  }
  return out;
}

std::vector<int64_t> LayoutTokenizer::encode(std::vector<LayoutObject> objects, const RelativeBox& crop,
                                             bool flip, Random random) const {
  check(inside_picture(crop) && crop.width > 0 && crop.height > 0,
        "LayoutTokenizer: expected a crop inside the picture, got ", crop.x, ",", crop.y, " ", crop.width,
        "x", crop.height);
  if (static_cast<int64_t>(objects.size()) > options_.max_objects) {
    objects.resize(static_cast<size_t>(options_.max_objects));
  }
  std::vector<int64_t> out;
  for (const int64_t i : permutation(static_cast<int64_t>(objects.size()), random)) {
    const LayoutObject& object = objects[static_cast<size_t>(i)];
    check(object.category >= 0 && object.category < options_.classes,
          "LayoutTokenizer: expected a category below ", options_.classes, ", got ", object.category);
    check(inside_picture(object.box), "LayoutTokenizer: expected a box inside 0..1, got ", object.box.x, ",",
          object.box.y, " ", object.box.width, "x", object.box.height);
    if (intersection_area(object.box, crop) <= 0) continue;
    const RelativeBox box = rescale_box(object.box, options_.encode_crop ? RelativeBox{} : crop, flip);
    out.push_back(object_token(object));
    out.push_back(coordinate_token(box.x, box.y));
    out.push_back(coordinate_token(box.x + box.width, box.y + box.height));
  }
  out.resize(static_cast<size_t>(3 * options_.max_objects), nothing());
  if (options_.encode_crop) {
    const RelativeBox told = flip ? flip_box(crop) : crop;
    out.push_back(coordinate_token(told.x, told.y));
    out.push_back(coordinate_token(told.x + told.width, told.y + told.height));
  }
  return out;
}

LayoutTokenizer::Layout LayoutTokenizer::decode(const std::vector<int64_t>& tokens) const {
  check(static_cast<int64_t>(tokens.size()) == length(), "LayoutTokenizer: expected ", length(),
        " tokens, got ", tokens.size());
  for (const int64_t token : tokens) {
    check(token >= 0 && token < options_.tokens, "LayoutTokenizer: expected tokens below ", options_.tokens,
          ", got ", token);
  }
  Layout out;
  const auto objects = static_cast<size_t>(3 * options_.max_objects);
  for (size_t i = 0; i < objects; i += 3) {
    if (tokens[i] == nothing()) continue;
    const int64_t flags = tokens[i] / options_.classes;
    out.objects.push_back(
        {tokens[i] % options_.classes, box_of(tokens[i + 1], tokens[i + 2]),
         options_.use_group && (flags & 1) != 0, options_.use_additional && (flags & 2) != 0,
         options_.use_additional && (flags & 4) != 0, options_.use_additional && (flags & 8) != 0});
  }
  if (options_.encode_crop) out.crop = box_of(tokens[objects], tokens[objects + 1]);
  return out;
}

// Half to even, as Python rounds.
int64_t LayoutTokenizer::coordinate_token(double x, double y) const {
  const auto section = [&](double at) {
    return static_cast<int64_t>(
        std::nearbyint(std::clamp(at, 0.0, 1.0) * static_cast<double>(sections_ - 1)));
  };
  return section(y) * sections_ + section(x);
}

RelativeBox LayoutTokenizer::box_of(int64_t first, int64_t second) const {
  const auto at = [&](int64_t section) {
    return static_cast<double>(section) / static_cast<double>(sections_ - 1);
  };
  const double x = at(first % sections_), y = at(first / sections_);
  return {x, y, at(second % sections_) - x, at(second / sections_) - y};
}

int64_t LayoutTokenizer::object_token(const LayoutObject& object) const {
  int64_t flags = options_.use_group && object.group ? 1 : 0;
  if (options_.use_additional) {
    flags |= (object.occluded ? 2 : 0) | (object.depiction ? 4 : 0) | (object.inside ? 8 : 0);
  }
  return object.category + options_.classes * flags;
}

}  // namespace ldm
