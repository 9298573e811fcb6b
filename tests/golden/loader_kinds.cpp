#include <ATen/ops/from_blob.h>
#include <torch/types.h>

#include <string>

#include "ldm/core/error.h"
#include "ldm/data/degradation.h"
#include "ldm/data/preparation.h"
#include "ldm/image/levels.h"
#include "tests/golden/runner.h"

namespace ldm::golden {
namespace {

torch::Tensor levels_of(const Image& image) {
  auto* pixels = const_cast<uint8_t*>(image.pixels.data());
  return at::from_blob(pixels, {image.height, image.width, image.channels}, at::kByte).clone();
}

Image picture_of(const torch::Tensor& hwc) {
  const auto cpu = hwc.cpu().contiguous();
  const auto* first = cpu.data_ptr<uint8_t>();
  return {cpu.size(1), cpu.size(0), cpu.size(2), {first, first + cpu.numel()}};
}

// [H, W, 3] in [-1, 1], as the original's image sets give pictures.
torch::Tensor unit_of(const Image& image) {
  auto planes = to_planes(image);
  return at::from_blob(planes.data(), {image.channels, image.height, image.width}, at::kFloat)
      .permute({1, 2, 0})
      .clone();
}

void run_ldm_loader(Case& c) {
  c.computes_in_float32();
  const Image image = picture_of(c.input("u8"));
  const auto size = c.config().at("size").get<int64_t>(), lr_size = c.config().at("lr_size").get<int64_t>();
  const auto& square = c.config().at("sr_crop");
  const SquareCrop place{square.at(1), square.at(0), square.at(2)};  // Stored as y, x, side.
  const Image high = prepare_crop(image, place, size);
  for (const auto& entry : c.json().at("outputs")) {
    const auto output = entry.get<std::string>();
    if (output == "lsun") {
      c.expect(output, unit_of(prepare_lsun(image, size)));
    } else if (output == "lsun_flipped") {
      c.expect(output, unit_of(flip_horizontal(prepare_lsun(image, size))));
    } else if (output == "taming_resized_u8") {
      c.expect(output, levels_of(resize_smallest_side(image, size, CvFilter::kLinear)));
    } else if (output == "taming_center") {
      c.expect(output, unit_of(prepare_taming(image, size)));
    } else if (output == "sr_hr") {
      c.expect(output, unit_of(high));
    } else if (output == "sd_img2img") {
      c.expect(output, unit_of(resize_to_multiple(image, 32)).permute({2, 0, 1}).unsqueeze(0));
    } else if (output.starts_with("sr_lr_") && output.find("bsrgan") == output.npos) {
      c.expect(output, unit_of(degrade(high, output.substr(6), size / lr_size, Random(0))));
    }
  }
}

void add_loader_kinds(KindTable& kinds) { kinds.add("ldm_loader", run_ldm_loader); }
const RegisterKinds kLoaderRegistered(add_loader_kinds);

}  // namespace
}  // namespace ldm::golden
