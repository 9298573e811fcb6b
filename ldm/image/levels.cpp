#include "ldm/image/levels.h"

#include <algorithm>
#include <cmath>

#include "ldm/core/error.h"

namespace ldm {
namespace {

float scaled(float x, LevelRule rule) {
  switch (rule) {
    case LevelRule::kNpz:
      return std::clamp((x + 1.0f) * 127.5f, 0.0f, 255.0f);
    case LevelRule::kPng:
      return 255.0f * ((std::clamp(x, -1.0f, 1.0f) + 1.0f) / 2.0f);
    default:
      return 255.0f * std::clamp((x + 1.0f) / 2.0f, 0.0f, 1.0f);
  }
}

}  // namespace

uint8_t to_level(float x, LevelRule rule) {
  if (std::isnan(x)) return 0;
  const float v = scaled(x, rule);
  return static_cast<uint8_t>(rule == LevelRule::kRounded ? std::nearbyint(v) : v);
}

std::vector<float> to_planes(const Image& image) {
  check_image(image, "to_planes");
  const auto area = static_cast<size_t>(image.width * image.height);
  const auto channels = static_cast<size_t>(image.channels);
  std::vector<float> planes(area * channels);
  for (size_t i = 0; i < area; ++i) {
    for (size_t c = 0; c < channels; ++c) {
      planes[c * area + i] = static_cast<float>(image.pixels[i * channels + c]) / 127.5f - 1.0f;
    }
  }
  return planes;
}

Image from_planes(std::span<const float> planes, int64_t channels, int64_t height, int64_t width,
                  LevelRule rule) {
  Image image = make_image(width, height, channels);
  check(planes.size() == image.pixels.size(), "from_planes: expected ", channels, "x", height, "x", width,
        " values, got ", planes.size());
  const size_t area = planes.size() / static_cast<size_t>(channels);
  for (size_t i = 0; i < area; ++i) {
    for (size_t c = 0; c < static_cast<size_t>(channels); ++c) {
      image.pixels[i * static_cast<size_t>(channels) + c] = to_level(planes[c * area + i], rule);
    }
  }
  return image;
}

}  // namespace ldm
