#include "ldm/data/scene_background.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace ldm {
namespace {

struct RegionLook {
  std::string_view name;
  std::array<double, 3> far, near;  // Colours at the upper and lower edge of the band, 0..255.
  double grain;                     // Size of the mottles, grey levels.
};
constexpr RegionLook kLooks[] = {
    {"sky", {96, 164, 235}, {196, 226, 250}, 6},    {"night sky", {14, 18, 48}, {46, 52, 104}, 4},
    {"grass", {104, 168, 72}, {62, 124, 44}, 16},   {"water", {52, 122, 188}, {96, 178, 214}, 10},
    {"sand", {236, 214, 160}, {216, 186, 124}, 10}, {"snow", {226, 234, 246}, {250, 252, 255}, 5},
    {"road", {120, 120, 126}, {84, 84, 90}, 8},     {"wall", {214, 188, 164}, {196, 166, 142}, 5},
    {"floor", {168, 118, 78}, {134, 88, 54}, 9}};

// Smooth noise in -1..1: random values on a grid, blended by cosines.
class Mottles {
 public:
  Mottles(int64_t cells, Random& random)
      : cells_(cells), values_(static_cast<size_t>((cells + 1) * (cells + 1))) {
    for (double& v : values_) v = 2 * random.uniform() - 1;
  }

  double at(double x, double y) const {  // 0..1 each.
    const double gx = x * static_cast<double>(cells_), gy = y * static_cast<double>(cells_);
    const auto ix = std::min(static_cast<int64_t>(gx), cells_ - 1),
               iy = std::min(static_cast<int64_t>(gy), cells_ - 1);
    const double tx = blend(gx - static_cast<double>(ix)), ty = blend(gy - static_cast<double>(iy));
    const auto value = [&](int64_t column, int64_t row) {
      return values_[static_cast<size_t>(row * (cells_ + 1) + column)];
    };
    return (1 - ty) * ((1 - tx) * value(ix, iy) + tx * value(ix + 1, iy)) +
           ty * ((1 - tx) * value(ix, iy + 1) + tx * value(ix + 1, iy + 1));
  }

 private:
  static double blend(double t) { return 0.5 - 0.5 * std::cos(std::numbers::pi * t); }

  int64_t cells_;
  std::vector<double> values_;
};

// Where one band begins in each column, and how it looks.
struct Band {
  size_t region;
  double begin, end;           // Rows, relative to the picture.
  double swing, waves, phase;  // The upper edge: begin + swing sin(2 pi (waves x + phase)).
  std::array<double, 3> tint;  // Added to its colours.

  double top(double x) const { return begin + swing * std::sin(2 * std::numbers::pi * (waves * x + phase)); }
};

std::vector<Band> draw_bands(const ScenePlace& place, Random& random) {
  std::vector<Band> bands;
  const size_t count = place.regions.size();
  double begin = 0;
  for (size_t i = 0; i < count; ++i) {
    const auto& names = scene_regions();
    Band band{};
    band.region =
        static_cast<size_t>(std::find(names.begin(), names.end(), place.regions[i]) - names.begin());
    band.begin = begin;
    begin = i == 0 ? 0.32 + 0.2 * random.uniform() : begin + 0.12 + 0.1 * random.uniform();
    band.end = i + 1 == count ? 1.0 : begin;
    const bool flat =
        place.regions[i] == "water" || place.regions[i] == "floor" || place.regions[i] == "road";
    band.swing = i == 0 || flat ? 0 : 0.005 + 0.03 * random.uniform();
    band.waves = 0.3 + 1.2 * random.uniform();
    band.phase = random.uniform();
    for (double& t : band.tint) t = 24 * random.uniform() - 12;
    bands.push_back(band);
  }
  return bands;
}

}  // namespace

const std::vector<ScenePlace>& scene_places() {
  static const std::vector<ScenePlace> kPlaces = {{"in a meadow", {"sky", "grass"}},
                                                  {"on a beach", {"sky", "water", "sand"}},
                                                  {"by a lake", {"sky", "grass", "water"}},
                                                  {"in the snow", {"sky", "snow"}},
                                                  {"on a street", {"wall", "road"}},
                                                  {"in a room", {"wall", "floor"}},
                                                  {"in a field at night", {"night sky", "grass"}}};
  return kPlaces;
}

const std::vector<std::string_view>& scene_regions() {
  static const std::vector<std::string_view> kNames = [] {
    std::vector<std::string_view> names;
    for (const RegionLook& look : kLooks) names.push_back(look.name);
    return names;
  }();
  return kNames;
}

SceneBackground paint_background(const ScenePlace& place, int64_t side, Random& random) {
  const std::vector<Band> bands = draw_bands(place, random);
  const Mottles coarse(6, random), fine(40, random);
  SceneBackground out{make_image(side, side, 3), make_image(side, side, 1), {}};
  for (const Band& band : bands) {
    out.borders.push_back(static_cast<int64_t>(band.begin * static_cast<double>(side)));
  }
  for (int64_t i = 0; i < side * side; ++i) {
    const double x = (static_cast<double>(i % side) + 0.5) / static_cast<double>(side);
    const double y = (static_cast<double>(i / side) + 0.5) / static_cast<double>(side);
    size_t k = bands.size() - 1;
    while (k > 0 && y < bands[k].top(x)) --k;
    const RegionLook& look = kLooks[bands[k].region];
    const double t = std::clamp((y - bands[k].begin) / (bands[k].end - bands[k].begin), 0.0, 1.0);
    const double grain = look.grain * (0.7 * coarse.at(x, y) + 0.5 * fine.at(x, y));
    for (size_t c = 0; c < 3; ++c) {
      const double value = (1 - t) * look.far[c] + t * look.near[c] + bands[k].tint[c] + grain;
      out.picture.pixels[static_cast<size_t>(3 * i) + c] =
          static_cast<uint8_t>(std::lround(std::clamp(value, 0.0, 255.0)));
    }
    out.regions.pixels[static_cast<size_t>(i)] = static_cast<uint8_t>(bands[k].region);
  }
  return out;
}

}  // namespace ldm
