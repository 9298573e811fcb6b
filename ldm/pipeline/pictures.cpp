#include "ldm/pipeline/pictures.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "ldm/core/error.h"

namespace ldm {

std::vector<Image> to_images(const torch::Tensor& pictures) {
  check(pictures.dim() == 4 && pictures.size(1) == 3, "to_images: expected [N, 3, H, W], got ",
        pictures.sizes());
  const auto bytes = pictures.detach()
                         .to(at::kFloat)
                         .add(1.0)
                         .mul(127.5)
                         .clamp(0, 255)
                         .round()
                         .to(at::kByte)
                         .permute({0, 2, 3, 1})
                         .contiguous()
                         .cpu();
  const auto per_image = bytes.numel() / std::max<int64_t>(1, bytes.size(0));
  std::vector<Image> out;
  for (int64_t i = 0; i < bytes.size(0); ++i) {
    const auto* from = bytes.const_data_ptr<uint8_t>() + i * per_image;
    out.push_back(
        {.width = bytes.size(2), .height = bytes.size(1), .channels = 3, .pixels = {from, from + per_image}});
  }
  return out;
}

torch::Tensor to_tensor(std::span<const Image> images) {
  check(!images.empty(), "to_tensor: expected at least one image");
  std::vector<torch::Tensor> rows;
  for (const auto& image : images) {
    check(image.channels == 3 && image.width == images[0].width && image.height == images[0].height,
          "to_tensor: expected RGB images of one size");
    const auto bytes = at::tensor(at::ArrayRef<uint8_t>(image.pixels), at::kByte);
    rows.push_back(bytes.view({image.height, image.width, 3}).permute({2, 0, 1}));
  }
  return at::stack(rows).to(at::kFloat).mul_(2.0 / 255.0).sub_(1.0);
}

}  // namespace ldm
