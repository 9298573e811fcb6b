#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "ldm/image/image.h"

namespace ldm {

// A colour word of captions and the hue that it stands for.
struct ColourName {
  std::string_view name;
  double hue;  // Degrees, 0 = red, 120 = green.
};

// red, orange, yellow, green, blue, purple, pink.
const std::vector<ColourName>& colour_names();

// Where most of a picture's colour lies. Means are weighted by saturation * value ("mass").
struct DominantHue {
  double hue;         // Degrees, circular mean inside the window.
  double share;       // Of the mass, within 35 degrees of the best centre.
  double saturation;  // HSV means inside the window, 0..1.
  double value;
};

// The dominant hue of an RGB picture on white; nothing where its ink is nearly grey (mean mass below 0.15) or
// where no window of +-35 degrees holds more than 55 % of the mass.
std::optional<DominantHue> dominant_hue(const Image& image);

// The word for it: the nearest of colour_names() by hue, save that yellow ends at 58 degrees, a dark orange
// is "brown" and a pale red is "pink".
std::string_view colour_word(const DominantHue& hue);

// Every pixel's hue turned by `degrees`; saturation and value stay (HSV).
Image rotate_hue(const Image& image, double degrees);

// Distance of two hues on the circle, 0..180 degrees.
double hue_distance(double a, double b);

}  // namespace ldm
