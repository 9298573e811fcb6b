#include "ldm/data/picture_tensor.h"

#include <ATen/ops/empty.h>

#include "ldm/core/error.h"

namespace ldm {
namespace {

// Interleaved values to planes, by plain loops: threads that prepare data must not start pools of their own.
template <typename Value, typename Convert>
torch::Tensor to_plane_tensor(const Image& image, at::ScalarType type, Convert convert) {
  torch::Tensor out = at::empty({image.channels, image.height, image.width}, type);
  auto* planes = out.mutable_data_ptr<Value>();
  const int64_t area = image.width * image.height;
  for (int64_t i = 0; i < area; ++i) {
    for (int64_t c = 0; c < image.channels; ++c) {
      planes[c * area + i] = convert(image.pixels[static_cast<size_t>(image.channels * i + c)]);
    }
  }
  return out;
}

}  // namespace

torch::Tensor picture_tensor(const Image& image) {
  return to_plane_tensor<uint8_t>(image, at::kByte, [](uint8_t v) { return v; });
}

torch::Tensor unit_tensor(const Image& image) {
  return to_plane_tensor<float>(image, at::kFloat,
                                [](uint8_t v) { return static_cast<float>(v) / 127.5F - 1.0F; });
}

Image picture_of(const torch::Tensor& planes) {
  check(planes.dim() == 3 && planes.scalar_type() == at::kByte && planes.is_contiguous() && planes.is_cpu(),
        "picture_of: expected uint8 [C, H, W] on the CPU, got ", planes.sizes());
  Image out = make_image(planes.size(2), planes.size(1), planes.size(0));
  const auto* values = planes.const_data_ptr<uint8_t>();
  const int64_t area = out.width * out.height;
  for (int64_t i = 0; i < area; ++i) {
    for (int64_t c = 0; c < out.channels; ++c) {
      out.pixels[static_cast<size_t>(out.channels * i + c)] = values[c * area + i];
    }
  }
  return out;
}

}  // namespace ldm
