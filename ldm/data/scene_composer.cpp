#include <algorithm>
#include <cmath>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/data/scene.h"
#include "ldm/data/scene_background.h"
#include "ldm/image/resample.h"

namespace ldm {
namespace {

constexpr int kPlacings = 12;                        // Tries for each thing.
constexpr double kSeenAtLeast = 0.4;                 // Of every thing, of its whole outline.
constexpr double kSmallest = 0.15, kLargest = 0.42;  // Longer side, relative to the picture's.
constexpr int64_t kMaxThings = 30;

// A thing where it was put.
struct Placed {
  int64_t category = 0;
  int64_t x = 0, y = 0;  // Upper left corner.
  Image picture;         // RGBA in its final size.

  int64_t bottom() const { return y + picture.height; }
  bool covers(int64_t px, int64_t py) const {
    const int64_t column = px - x, row = py - y;
    return column >= 0 && row >= 0 && column < picture.width && row < picture.height &&
           picture.row(row)[4 * column + 3] >= 128;
  }
};

// Pixels of each thing that no later one and no edge hides, relative to its outline.
std::vector<double> seen_parts(const std::vector<Placed>& things, int64_t side) {
  std::vector<double> out;
  for (size_t i = 0; i < things.size(); ++i) {
    const Placed& thing = things[i];
    int64_t whole = 0, seen = 0;
    for (int64_t y = thing.y; y < thing.bottom(); ++y) {
      for (int64_t x = thing.x; x < thing.x + thing.picture.width; ++x) {
        if (!thing.covers(x, y)) continue;
        ++whole;
        const bool inside = x >= 0 && y >= 0 && x < side && y < side;
        const bool hidden = std::any_of(things.begin() + static_cast<int64_t>(i) + 1, things.end(),
                                        [&](const Placed& front) { return front.covers(x, y); });
        seen += inside && !hidden ? 1 : 0;
      }
    }
    out.push_back(whole == 0 ? 0.0 : static_cast<double>(seen) / static_cast<double>(whole));
  }
  return out;
}

class SceneComposer {
 public:
  SceneComposer(std::span<const SceneSprite> sprites, const SceneSize& size, Random& random)
      : sprites_(sprites), size_(size), random_(random) {}

  Scene compose() {
    const auto& places = scene_places();
    const ScenePlace& place = places[static_cast<size_t>(random_.below(static_cast<int64_t>(places.size())))];
    const SceneBackground background = paint_background(place, size_.side, random_);
    borders_ = background.borders;
    regions_ = place.regions;
    const int64_t wanted = size_.min_objects + random_.below(size_.max_objects - size_.min_objects + 1);
    for (int64_t i = 0; i < 2 * wanted && static_cast<int64_t>(things_.size()) < wanted; ++i) add_thing();
    Scene scene = paint(background);
    scene.phrase = place.phrase;
    return scene;
  }

 private:
  // Puts one more thing in, unless none of the tries leaves enough of everything to be seen.
  void add_thing() {
    const auto number = static_cast<int64_t>(sprites_.size());
    // A third of the things are of a kind that is there already, so that scenes have pairs and groups.
    const bool again = !things_.empty() && random_.below(3) == 0;
    const int64_t category =
        again ? things_[static_cast<size_t>(random_.below(static_cast<int64_t>(things_.size())))].category
              : random_.below(number);
    for (int i = 0; i < kPlacings; ++i) {
      std::vector<Placed> with = things_;
      with.push_back(place_thing(category));
      std::stable_sort(with.begin(), with.end(),
                       [](const Placed& a, const Placed& b) { return a.bottom() < b.bottom(); });
      const auto seen = seen_parts(with, size_.side);
      if (*std::min_element(seen.begin(), seen.end()) < kSeenAtLeast) continue;
      things_ = std::move(with);
      return;
    }
  }

  // The rows on which a thing may stand (or swim, or fly): its lower edge.
  std::pair<double, double> standing_rows(SceneZone zone) const {
    const auto side = static_cast<double>(size_.side);
    const double horizon = borders_.size() > 1 ? static_cast<double>(borders_[1]) : 0.4 * side;
    if (zone == SceneZone::kAir && random_.below(4) > 0) return {0.2 * side, horizon};
    const auto water = std::find(regions_.begin(), regions_.end(), std::string_view("water"));
    if (zone == SceneZone::kWater && water != regions_.end()) {
      const auto band = static_cast<size_t>(water - regions_.begin());
      const double end = band + 1 < borders_.size() ? static_cast<double>(borders_[band + 1]) : side;
      return {static_cast<double>(borders_[band]) + 0.05 * side, end};
    }
    return {horizon + 0.05 * side, side};
  }

  Placed place_thing(int64_t category) {
    const SceneSprite& sprite = sprites_[static_cast<size_t>(category)];
    const auto side = static_cast<double>(size_.side);
    const auto [top, end] = standing_rows(sprite.zone);
    const double bottom = top + (end - top) * random_.uniform();
    // Nearer is lower and larger.
    const double nearness = std::clamp(0.7 * bottom / side + 0.3 * random_.uniform(), 0.0, 1.0);
    const double longer = side * (kSmallest + (kLargest - kSmallest) * nearness);
    const double scale = longer / static_cast<double>(std::max(sprite.picture.width, sprite.picture.height));
    const auto scaled = [&](int64_t length) {
      return std::max<int64_t>(1, std::lround(static_cast<double>(length) * scale));
    };
    Placed out;
    out.category = category;
    out.picture =
        resize(sprite.picture, scaled(sprite.picture.width), scaled(sprite.picture.height), Filter::kBicubic);
    if (random_.below(2) == 1) out.picture = flip_horizontal(out.picture);
    const auto width = static_cast<double>(out.picture.width);
    // Up to a tenth may stick out.
    out.x = std::lround((side - 0.8 * width) * random_.uniform() - 0.1 * width);
    out.y = std::lround(bottom) - out.picture.height;
    return out;
  }

  Scene paint(const SceneBackground& background) const {
    Scene scene;
    scene.picture = background.picture;
    scene.labels = background.regions;
    scene.instances = make_image(size_.side, size_.side, 1);
    for (uint8_t& v : scene.labels.pixels) v = static_cast<uint8_t>(v + 1 + sprites_.size());
    for (size_t i = 0; i < things_.size(); ++i) paint_thing(scene, things_[i], static_cast<uint8_t>(i + 1));
    measure(scene);
    return scene;
  }

  void paint_thing(Scene& scene, const Placed& thing, uint8_t number) const {
    const int64_t side = size_.side;
    for (int64_t y = std::max<int64_t>(thing.y, 0); y < std::min(thing.bottom(), side); ++y) {
      for (int64_t x = std::max<int64_t>(thing.x, 0); x < std::min(thing.x + thing.picture.width, side);
           ++x) {
        const uint8_t* from = thing.picture.row(y - thing.y) + 4 * (x - thing.x);
        uint8_t* to = scene.picture.row(y) + 3 * x;
        const int alpha = from[3];
        for (int c = 0; c < 3; ++c) {
          to[c] = static_cast<uint8_t>((from[c] * alpha + to[c] * (255 - alpha) + 127) / 255);
        }
        if (alpha < 128) continue;
        scene.labels.row(y)[x] = static_cast<uint8_t>(thing.category + 1);
        scene.instances.row(y)[x] = number;
      }
    }
  }

  // Boxes and areas of what can be seen.
  void measure(Scene& scene) const {
    for (size_t i = 0; i < things_.size(); ++i) {
      SceneObject object{things_[i].category, size_.side, size_.side, 0, 0, 0};
      int64_t right = 0, bottom = 0;
      for (int64_t p = 0; p < size_.side * size_.side; ++p) {
        if (scene.instances.pixels[static_cast<size_t>(p)] != i + 1) continue;
        const int64_t x = p % size_.side, y = p / size_.side;
        object.x = std::min(object.x, x);
        object.y = std::min(object.y, y);
        right = std::max(right, x + 1);
        bottom = std::max(bottom, y + 1);
        ++object.area;
      }
      object.width = right - object.x;
      object.height = bottom - object.y;
      scene.objects.push_back(object);
    }
  }

  std::span<const SceneSprite> sprites_;
  SceneSize size_;
  Random& random_;
  std::vector<int64_t> borders_;
  std::vector<std::string_view> regions_;
  std::vector<Placed> things_;  // From the back to the front.
};

}  // namespace

Scene compose_scene(std::span<const SceneSprite> sprites, const SceneSize& size, Random random) {
  check(!sprites.empty() && sprites.size() + scene_regions().size() < 255,
        "scenes: expected 1 to 200 sprites, got ", sprites.size());
  check(size.side >= 32 && size.side <= 2048, "scenes: expected a side of 32 to 2048 pixels, got ",
        size.side);
  check(size.min_objects >= 1 && size.min_objects <= size.max_objects && size.max_objects <= kMaxThings,
        "scenes: expected 1 <= min_objects <= max_objects <= ", kMaxThings, ", got ", size.min_objects,
        " and ", size.max_objects);
  return SceneComposer(sprites, size, random).compose();
}

}  // namespace ldm
