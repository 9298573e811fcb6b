#include "ldm/model/perceptual.h"

#include "ldm/core/error.h"
#include "ldm/model/weight_file.h"
#include "ldm/nn/efficientnet.h"
#include "ldm/nn/lpips.h"

namespace ldm {

PerceptualFn open_perceptual(const std::filesystem::path& path, bool dropout, at::Device device) {
  const auto file = read_weight_file(path);
  if (file.tensors.contains("stem.weight")) {  // LPIPS has none.
    check(!dropout, "perceptual_dropout: ", path.string(), " is not LPIPS");
    const auto network = EfficientNetPerceptual::from_file(path);
    network->to(device);
    return [network](const torch::Tensor& x, const torch::Tensor& y) { return network->forward(x, y); };
  }
  const auto network = Lpips::from_tensors(file.tensors);
  network->to(device);
  network->train(dropout);
  return [network](const torch::Tensor& x, const torch::Tensor& y) { return network->forward(x, y); };
}

}  // namespace ldm
