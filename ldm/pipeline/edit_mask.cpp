#include "ldm/pipeline/edit_mask.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "ldm/core/error.h"

namespace ldm {
namespace {

constexpr uint8_t kHalf = 128;  // From here on a pixel belongs to the mask that feathering widens.

// Distance to the nearest masked pixel of the same column, `far` where there is none within it.
std::vector<int64_t> column_distances(const Image& mask, int64_t far) {
  std::vector<int64_t> out(mask.pixels.size(), far);
  const auto width = mask.width;
  for (int64_t x = 0; x < width; ++x) {
    const auto sweep = [&](int64_t first, int64_t end, int64_t step) {
      int64_t distance = far;
      for (int64_t y = first; y != end; y += step) {
        const auto at = static_cast<size_t>(y * width + x);
        distance = mask.pixels[at] >= kHalf ? 0 : std::min(distance + 1, far);
        out[at] = std::min(out[at], distance);
      }
    };
    sweep(0, mask.height, 1);
    sweep(mask.height - 1, -1, -1);
  }
  return out;
}

// Whether each pixel is drawn anew, [1, 1, height, width]; the last ones repeat beyond the mask.
torch::Tensor redrawn_map(const Image& mask, int64_t width, int64_t height) {
  auto out = at::empty({1, 1, height, width}, at::kFloat);
  auto* to = out.mutable_data_ptr<float>();
  for (int64_t y = 0; y < height; ++y) {
    const auto* row = mask.row(std::min(y, mask.height - 1));
    for (int64_t x = 0; x < width; ++x) *to++ = row[std::min(x, mask.width - 1)] > 0 ? 1.0F : 0.0F;
  }
  return out;
}

}  // namespace

Image mask_of(const Image& picture) {
  auto mask = to_grey(to_rgb(picture, kBlack));
  for (auto& value : mask.pixels) value = value < 8 ? 0 : value > 247 ? 255 : value;
  return mask;
}

bool keeps_everything(const Image& mask) {
  return std::all_of(mask.pixels.begin(), mask.pixels.end(), [](uint8_t value) { return value == 0; });
}

Image transparency_mask(const Image& picture) {
  if (picture.channels != 4) return {};
  auto mask = make_image(picture.width, picture.height, 1);
  bool any = false;
  for (size_t i = 0; i < mask.pixels.size(); ++i) {
    mask.pixels[i] = static_cast<uint8_t>(255 - picture.pixels[4 * i + 3]);
    any = any || mask.pixels[i] > 0;
  }
  return any ? mask : Image{};
}

Image feathered(const Image& mask, int64_t radius) {
  if (radius == 0) return mask;
  const auto vertical = column_distances(mask, radius + 1);
  auto out = mask;
  for (int64_t y = 0; y < mask.height; ++y) {
    for (int64_t x = 0; x < mask.width; ++x) {
      int64_t square = (radius + 1) * (radius + 1);
      const auto from = std::max<int64_t>(0, x - radius), to = std::min(mask.width - 1, x + radius);
      for (int64_t near = from; near <= to; ++near) {
        const auto rise = vertical[static_cast<size_t>(y * mask.width + near)];
        square = std::min(square, (near - x) * (near - x) + rise * rise);
      }
      const double share = 1 - std::sqrt(static_cast<double>(square)) / (static_cast<double>(radius) + 1);
      auto& value = out.pixels[static_cast<size_t>(y * mask.width + x)];
      value = std::max(value, static_cast<uint8_t>(std::lround(255 * std::max(0.0, share))));
    }
  }
  return out;
}

torch::Tensor redrawn_latents(const Image& mask, int64_t width, int64_t height, int64_t factor) {
  return at::max_pool2d(redrawn_map(mask, width * factor, height * factor), {factor, factor});
}

torch::Tensor redrawn_pixels(const Image& mask, int64_t width, int64_t height) {
  return redrawn_map(mask, width, height)[0];
}

void put_back(Image& drawn, const Image& original, const Image& mask) {
  const bool fits = drawn.channels == 3 && original.channels == 3 && mask.channels == 1 &&
                    drawn.pixels.size() == original.pixels.size() &&
                    3 * mask.pixels.size() == drawn.pixels.size() && drawn.width == mask.width;
  check(fits, ErrorKind::kInternal, "put_back: expected pictures and a mask of one size");
  for (size_t i = 0; i < drawn.pixels.size(); ++i) {
    const int share = mask.pixels[i / 3];
    const int sum = share * drawn.pixels[i] + (255 - share) * original.pixels[i];
    drawn.pixels[i] = static_cast<uint8_t>((2 * sum + 255) / 510);  // Rounded to nearest.
  }
}

}  // namespace ldm
