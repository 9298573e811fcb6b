#include "ldm/image/clean_resize.h"

#include <algorithm>

#include "ldm/image/resample.h"

namespace ldm {

std::vector<float> clean_resize(const Image& image, int64_t width, int64_t height) {
  check_image(image, "clean_resize");
  const auto channels = static_cast<size_t>(image.channels);
  std::vector<float> out;
  for (size_t c = 0; c < channels; ++c) {
    std::vector<float> plane;
    for (size_t i = c; i < image.pixels.size(); i += channels)
      plane.push_back(static_cast<float>(image.pixels[i]));
    const auto resized = resize_plane(plane, image.width, image.height, width, height, Filter::kBicubic);
    out.resize(resized.size() * channels);
    for (size_t i = 0; i < resized.size(); ++i) out[i * channels + c] = std::clamp(resized[i], 0.0F, 255.0F);
  }
  return out;
}

}  // namespace ldm
