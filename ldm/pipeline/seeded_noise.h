#pragma once

#include <torch/types.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "ldm/core/noise.h"
#include "ldm/diffusion/denoiser.h"
#include "ldm/pipeline/interpolate.h"
#include "ldm/pipeline/request.h"

namespace ldm {

// The seeds of a request's image, counted from 0; the second where there is a variation. On a way between
// seeds the one that it comes from.
uint64_t image_seed(const GenerateRequest& request, int64_t image);
std::optional<uint64_t> variation_seed(const GenerateRequest& request, int64_t image);

// The random numbers of images first..first + n - 1 of a request: each image draws from streams of its own,
// so that a batch equals single runs. As in the PyTorch tools the first draw of a stream is the noise that
// drawing begins with, and the steps' noise goes on from there.
class SeededNoise {
 public:
  SeededNoise(const GenerateRequest& request, int64_t first, int64_t n);

  // Unit noise [n, chw...] on the CPU; to be called first.
  torch::Tensor start(at::IntArrayRef chw);
  // Fresh noise for a step, like its argument. It refers to this object.
  NoiseFn steps();
  // Increments of each image's Brownian path.
  PathNoiseFn path() const;

 private:
  PathNoiseFn path_rows() const;

  const GenerateRequest& r_;
  int64_t first_, n_;
  std::vector<MixedNoise> streams_;
};

}  // namespace ldm
