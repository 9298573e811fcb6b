#pragma once

#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "ldm/core/noise.h"
#include "ldm/diffusion/denoiser.h"
#include "ldm/model/conditioner.h"
#include "ldm/pipeline/path_request.h"

namespace ldm {

// "lerp" or "slerp". Throws kUsage otherwise.
MixRule parse_mix_rule(std::string_view text);

// Where a frame lies: a part t in [0, 1] of the way between two of `places`.
struct PathPosition {
  size_t from = 0, to = 0;
  double t = 0.0;
};
// Frame k of `frames` on a way through `places` places. The first frame is the first place; the last is the
// last one, or where the way is closed one step before the first again.
PathPosition path_position(size_t places, bool closed, int64_t frames, int64_t k);
inline PathPosition path_position(const PathRequest& path, int64_t frames, int64_t k) {
  return path_position(path.places.size(), path.closed, frames, k);
}

// Between two tensors [N, ...] of one shape: exactly the first at t = 0 and the second at t = 1.
torch::Tensor mix(MixRule rule, double t, const torch::Tensor& first, const torch::Tensor& second);

// Rows of conditions on their way: row i of the result lies at positions[i] between the rows of `places`.
// Throws kUsage for class numbers that differ: there is nothing between two of them.
Conditioning mix_conditions(const Conditioning& places, const std::vector<PathPosition>& positions,
                            MixRule rule);

// Latents [K, C, h, w] of places to those of the positions, [N, C, h, w].
torch::Tensor mix_latents(const torch::Tensor& places, const std::vector<PathPosition>& positions,
                          MixRule rule);

// The noise of one frame: that of a seed, or a part of the way between those of two, of variance 1.
class MixedNoise {
 public:
  MixedNoise(NoiseKind kind, uint64_t seed);
  // At t = 0 the noise of the first seed, at t = 1 that of the second.
  MixedNoise(NoiseKind kind, uint64_t first, uint64_t second, double t);

  // The next unit noise of this shape, on the CPU.
  torch::Tensor randn(at::IntArrayRef shape);
  // Increments [1, ...] of the Brownian paths of the same seeds, mixed as well.
  PathNoiseFn path() const;

 private:
  struct Second {
    uint64_t seed;
    double t;
    NoiseStream stream;
  };
  NoiseKind kind_;
  uint64_t seed_;
  NoiseStream stream_;
  std::optional<Second> second_;
};

}  // namespace ldm
