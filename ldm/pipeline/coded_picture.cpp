#include "ldm/pipeline/coded_picture.h"

#include <ATen/ops/replication_pad2d.h>

#include <span>

#include "ldm/core/error.h"
#include "ldm/pipeline/pictures.h"

namespace ldm {
namespace {

// The device of a module's weights, or the CPU.
at::Device device_of(const torch::nn::Module& module) {
  const auto weights = module.parameters();
  return weights.empty() ? at::Device(at::kCPU) : weights.front().device();
}

}  // namespace

torch::Tensor encode_picture(const FirstStage& stage, const Image& picture, const CodingLimits& limits) {
  const int64_t f = stage.downsampling();
  const auto beyond = [f](int64_t side) { return (f - side % f) % f; };
  const auto pixels = to_tensor(std::span(&picture, 1)).to(device_of(stage));
  return stage.encode_within(
      at::replication_pad2d(pixels, {0, beyond(picture.width), 0, beyond(picture.height)}), limits);
}

torch::Tensor decode_picture(const FirstStage& stage, const torch::Tensor& latents, int64_t width,
                             int64_t height, const CodingLimits& limits) {
  const int64_t f = stage.downsampling();
  check(width >= 1 && height >= 1 && width <= f * latents.size(3) && height <= f * latents.size(2),
        "decode_picture: expected at most ", f * latents.size(3), "x", f * latents.size(2), " pixels, got ",
        width, "x", height);
  return stage.decode_within(latents, limits).narrow(2, 0, height).narrow(3, 0, width);
}

}  // namespace ldm
