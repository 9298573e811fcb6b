#include "ldm/data/emoji_colour.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "ldm/core/error.h"

namespace ldm {
namespace {

constexpr int kWindow = 35;         // Degrees on each side.
constexpr double kMinShare = 0.55;  // Of the mass, in the window.
constexpr double kMinMass = 0.15;  // Mean saturation * value of the inked pixels; below it a picture is grey.
constexpr double kPaper = 0.97;    // A pixel whose least channel is brighter is no ink.
constexpr double kYellowEnds = 58;    // Degrees; from here on people say green.
constexpr double kBrownValue = 0.72;  // An orange darker than this is called brown.
constexpr double kToRadians = std::numbers::pi / 180;

struct Hsv {
  double hue, saturation, value;  // Degrees; 0..1; 0..1.
};

Hsv to_hsv(const uint8_t* rgb) {
  const double r = rgb[0] / 255.0, g = rgb[1] / 255.0, b = rgb[2] / 255.0;
  const double high = std::max({r, g, b}), chroma = high - std::min({r, g, b});
  if (chroma == 0) return {0, 0, high};
  double sixth = 0;
  if (high == r) {
    sixth = (g - b) / chroma;
  } else if (high == g) {
    sixth = (b - r) / chroma + 2;
  } else {
    sixth = (r - g) / chroma + 4;
  }
  return {std::fmod(60 * sixth + 360, 360.0), chroma / high, high};
}

void from_hsv(const Hsv& hsv, uint8_t* rgb) {
  // Smith 1978 in closed form: channel n is v - v s max(0, min(k, 4 - k, 1)), k = (n + hue / 60) mod 6.
  const std::array<double, 3> shift{5, 3, 1};
  for (size_t i = 0; i < 3; ++i) {
    const double k = std::fmod(shift[i] + hsv.hue / 60, 6.0);
    const double c = hsv.value - hsv.value * hsv.saturation * std::max(0.0, std::min({k, 4 - k, 1.0}));
    rgb[i] = static_cast<uint8_t>(std::lround(255 * c));
  }
}

// Per degree of hue: the mass (saturation * value), and the mass times saturation and value.
struct Histogram {
  std::array<double, 360> mass{}, saturation{}, value{};
  double total = 0;
  int64_t ink = 0;  // Pixels that are not white.
};

Histogram hue_histogram(const Image& image) {
  Histogram out;
  for (size_t i = 0; i + 2 < image.pixels.size(); i += 3) {
    const Hsv hsv = to_hsv(&image.pixels[i]);
    const double mass = hsv.saturation * hsv.value;
    const auto bin = static_cast<size_t>(hsv.hue) % 360;
    out.mass[bin] += mass;
    out.saturation[bin] += mass * hsv.saturation;
    out.value[bin] += mass * hsv.value;
    out.total += mass;
    if (hsv.value - mass < kPaper) ++out.ink;
  }
  return out;
}

DominantHue window_around(const Histogram& histogram, int centre) {
  double mass = 0, saturation = 0, value = 0, x = 0, y = 0;
  for (int d = -kWindow; d <= kWindow; ++d) {
    const auto bin = static_cast<size_t>((centre + d + 360) % 360);
    const double angle = (static_cast<double>(bin) + 0.5) * kToRadians;
    mass += histogram.mass[bin];
    saturation += histogram.saturation[bin];
    value += histogram.value[bin];
    x += histogram.mass[bin] * std::cos(angle);
    y += histogram.mass[bin] * std::sin(angle);
  }
  if (mass == 0) return {0, 0, 0, 0};
  const double hue = std::fmod(std::atan2(y, x) / kToRadians + 360, 360.0);
  return {hue, mass / histogram.total, saturation / mass, value / mass};
}

}  // namespace

const std::vector<ColourName>& colour_names() {
  static const std::vector<ColourName> kNames = {{"red", 0},     {"orange", 28}, {"yellow", 50},
                                                 {"green", 120}, {"blue", 215},  {"purple", 275},
                                                 {"pink", 330}};
  return kNames;
}

double hue_distance(double a, double b) {
  const double d = std::fmod(std::abs(a - b), 360.0);
  return std::min(d, 360 - d);
}

std::optional<DominantHue> dominant_hue(const Image& image) {
  check(image.channels == 3, "dominant_hue: expected an RGB image, got ", image.channels, " channels");
  const Histogram histogram = hue_histogram(image);
  if (histogram.ink == 0 || histogram.total < kMinMass * static_cast<double>(histogram.ink))
    return std::nullopt;
  DominantHue best{0, 0, 0, 0};
  for (int centre = 0; centre < 360; ++centre) {
    const DominantHue window = window_around(histogram, centre);
    if (window.share > best.share) best = window;
  }
  if (best.share <= kMinShare) return std::nullopt;
  return best;
}

std::string_view colour_word(const DominantHue& dominant) {
  const auto nearer = [&](const ColourName& a, const ColourName& b) {
    return hue_distance(a.hue, dominant.hue) < hue_distance(b.hue, dominant.hue);
  };
  const std::string_view word = std::min_element(colour_names().begin(), colour_names().end(), nearer)->name;
  if (word == "yellow" && dominant.hue > kYellowEnds) return "green";
  if (word == "orange" && dominant.value < kBrownValue) return "brown";
  if (hue_distance(dominant.hue, 0) < 20 && dominant.saturation < 0.6 && dominant.value > 0.75) return "pink";
  return word;
}

Image rotate_hue(const Image& image, double degrees) {
  check(image.channels == 3, "rotate_hue: expected an RGB image, got ", image.channels, " channels");
  Image out = image;
  for (size_t i = 0; i + 2 < out.pixels.size(); i += 3) {
    Hsv hsv = to_hsv(&out.pixels[i]);
    hsv.hue = std::fmod(hsv.hue + degrees + 720, 360.0);
    from_hsv(hsv, &out.pixels[i]);
  }
  return out;
}

}  // namespace ldm
