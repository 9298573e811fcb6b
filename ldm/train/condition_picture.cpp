#include "ldm/train/condition_picture.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "ldm/data/picture_tensor.h"

namespace ldm {
namespace {

// The outline of a box, one pixel wide.
void draw_outline(Image& image, const RelativeBox& box, const Rgb& colour) {
  const auto at = [](double position, int64_t side) {
    return std::clamp<int64_t>(std::lround(position * static_cast<double>(side - 1)), 0, side - 1);
  };
  const auto left = at(box.x, image.width), right = at(box.x + box.width, image.width);
  const auto top = at(box.y, image.height), bottom = at(box.y + box.height, image.height);
  const auto put = [&](int64_t x, int64_t y) {
    std::copy(colour.begin(), colour.end(), image.row(y) + 3 * x);
  };
  for (int64_t x = left; x <= right; ++x) put(x, top), put(x, bottom);
  for (int64_t y = top; y <= bottom; ++y) put(left, y), put(right, y);
}

}  // namespace

Rgb palette_colour(int64_t number) {
  constexpr double kGoldenAngle = 137.507764;
  constexpr std::array<double, 3> kShades{1.0, 0.75, 0.5};
  const double hue = std::fmod(static_cast<double>(number) * kGoldenAngle, 360.0) / 60.0;
  const double shade = kShades[static_cast<size_t>(number) % kShades.size()];
  const auto level = [&](double centre) {  // HSV of full saturation: each primary rises around its hue.
    double distance = std::abs(hue - centre);
    distance = std::min(distance, 6.0 - distance);
    return static_cast<uint8_t>(std::lround(255.0 * shade * std::clamp(2.0 - distance, 0.0, 1.0)));
  };
  return {level(0.0), level(2.0), level(4.0)};
}

Image picture_condition(const torch::Tensor& picture) {
  const auto bytes = ((picture + 1.0) * 127.5).round().clamp(0, 255).to(at::kByte);
  return picture_of(bytes.contiguous());
}

Image label_condition(const torch::Tensor& map) {
  const auto label = map.argmax(0).contiguous(), known = map.amax(0).gt(0).contiguous();
  Image out = make_image(map.size(2), map.size(1), 3);
  for (int64_t y = 0; y < out.height; ++y) {
    for (int64_t x = 0; x < out.width; ++x) {
      const auto i = y * out.width + x;
      if (!known.const_data_ptr<bool>()[i]) continue;
      const auto colour = palette_colour(label.const_data_ptr<int64_t>()[i]);
      std::copy(colour.begin(), colour.end(), out.row(y) + 3 * x);
    }
  }
  return out;
}

Image layout_condition(const torch::Tensor& tokens, const LayoutTokenizer& tokenizer, int64_t size) {
  const auto* values = tokens.const_data_ptr<int64_t>();
  Image out = make_image(size, size, 3, 255);
  for (const auto& object : tokenizer.decode({values, values + tokens.numel()}).objects) {
    draw_outline(out, object.box, palette_colour(object.category));
  }
  return out;
}

}  // namespace ldm
