#include <ATen/ops/from_blob.h>
#include <torch/types.h>

#include <span>
#include <string>

#include "ldm/image/resize_cv.h"
#include "tests/golden/runner.h"

namespace ldm::golden {
namespace {

// [H, W, C] of float32.
torch::Tensor resize_cv_floats(const torch::Tensor& hwc, int64_t width, int64_t height, CvFilter filter) {
  const std::span<const float> pixels(hwc.const_data_ptr<float>(), static_cast<size_t>(hwc.numel()));
  auto out = resize_cv(pixels, hwc.size(1), hwc.size(0), hwc.size(2), width, height, filter);
  return at::from_blob(out.data(), {height, width, hwc.size(2)}, at::kFloat).clone();
}

torch::Tensor resize_cv_levels(const torch::Tensor& hwc, int64_t width, int64_t height, CvFilter filter) {
  const auto* first = hwc.const_data_ptr<uint8_t>();
  const Image image{hwc.size(1), hwc.size(0), hwc.size(2), {first, first + hwc.numel()}};
  Image out = resize_cv(image, width, height, filter);
  return at::from_blob(out.pixels.data(), {height, width, hwc.size(2)}, at::kByte).clone();
}

// Outputs are named u8.<filter>.<H>x<W> and f32.<filter>.<H>x<W>. Bit-exact equality is not claimed for
// uint8.
void run_resize_opencv(Case& c) {
  auto u8 = c.input("u8").cpu();
  if (u8.dim() == 2) u8 = u8.unsqueeze(-1);
  for (const auto& entry : c.json().at("outputs")) {
    const auto output = entry.get<std::string>();
    const size_t dot = output.find('.'), last = output.rfind('.'), cross = output.find('x', last);
    const CvFilter filter = parse_cv_filter(output.substr(dot + 1, last - dot - 1));
    const int64_t height = std::stoll(output.substr(last + 1)), width = std::stoll(output.substr(cross + 1));
    if (output.starts_with("f32")) {
      const auto got = resize_cv_floats((u8.to(at::kFloat) / 255).contiguous(), width, height, filter);
      c.expect(output, got.view(c.stored(output).sizes()));
    } else {
      const auto got = resize_cv_levels(u8.contiguous(), width, height, filter);
      c.expect_within(output, got.view(c.stored(output).sizes()), c.json().at("tolerance").at("u8_soft"));
    }
  }
}

void add_opencv_kinds(KindTable& kinds) { kinds.add("resize_opencv", run_resize_opencv); }
const RegisterKinds kOpencvRegistered(add_opencv_kinds);

}  // namespace
}  // namespace ldm::golden
