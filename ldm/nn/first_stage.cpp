#include "ldm/nn/first_stage.h"

#include <ATen/ops/cat.h>

#include <algorithm>
#include <vector>

#include "ldm/core/stopped.h"

namespace ldm {
namespace {

// Blocks of all sizes come and go, and leave holes in a heap that is not given back: measured, a decoder's
// resident memory is 1.6 times what it has in use.
constexpr double kHeapShare = 1.6;

// `code` on as many pictures of x at once as fit, `code_bands` on each where not even one does.
template <typename Code, typename CodeBands>
torch::Tensor code_within(const torch::Tensor& x, const CodingLimits& limits, int64_t bytes, const Code& code,
                          const CodeBands& code_bands) {
  if (limits.memory == 0 || bytes == 0) return code(x);
  const auto fitting =
      static_cast<int64_t>(static_cast<double>(limits.memory) / (kHeapShare * static_cast<double>(bytes)));
  const int64_t n = x.size(0);
  if (fitting >= n) return code(x);
  std::vector<torch::Tensor> parts;
  for (int64_t k = 0; k < n; k += std::max<int64_t>(1, fitting)) {
    check_stop(limits.stop, "coding: stopped");
    parts.push_back(fitting > 0 ? code(x.narrow(0, k, std::min(fitting, n - k)))
                                : code_bands(x.narrow(0, k, 1)));
  }
  return parts.size() == 1 ? parts[0] : at::cat(parts);
}

}  // namespace

torch::Tensor FirstStage::encode_within(const torch::Tensor& images, const CodingLimits& limits) const {
  return code_within(
      images, limits, encode_bytes(images.size(2), images.size(3)),
      [&](const torch::Tensor& x) { return encode(x); },
      [&](const torch::Tensor& x) { return encode_bands(x, limits); });
}

torch::Tensor FirstStage::decode_within(const torch::Tensor& latents, const CodingLimits& limits) const {
  return code_within(
      latents, limits, decode_bytes(latents.size(2), latents.size(3)),
      [&](const torch::Tensor& z) { return decode(z); },
      [&](const torch::Tensor& z) { return decode_bands(z, limits); });
}

}  // namespace ldm
