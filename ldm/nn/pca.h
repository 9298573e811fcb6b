#pragma once

#include <torch/types.h>

#include <cstdint>

#include "ldm/nn/linear_shortcut.h"

namespace ldm {

struct PcaOptions {
  int64_t patch = 8;             // f: side of a patch in pixels.
  int64_t latent_channels = 16;  // z: principal components kept, at most C f f.
  double gamma = 0.5;  // Deviation of a latent channel ~ (its component's deviation)^gamma: 0 = all alike.
};

struct PcaFit {
  LinearCode code;       // Latents with mean 0 and mean square 1 over the fitted patches (float32).
  torch::Tensor stddev;  // Deviations of the kept components before scaling, descending [z] (float64).
  double explained = 0;  // Share of the patches' variance that they hold, 0..1.
};

// Principal components of f x f patches: the best linear code, and the baseline of an autoencoder. Sums are
// kept in float64, so that a data set may be given in batches of any size.
class PatchPca {
 public:
  explicit PatchPca(int64_t channels = 3, int64_t patch = 8);
  void add(const torch::Tensor& images);                    // [N, C, H, W]; H and W multiples of the patch.
  PcaFit fit(int64_t latent_channels, double gamma) const;  // Throws kData before any image was added.

 private:
  int64_t channels_, patch_;
  int64_t count_ = 0;
  torch::Tensor sum_, products_;  // [D], [D, D] with D = C f f.
};

PcaFit fit_pca(const torch::Tensor& images, const PcaOptions& options = {});  // images [N, C, H, W]

// Mean over the images of the peak signal-to-noise ratio, in dB, of what the code gives back (clamped to [-1,
// 1]); images [N, C, H, W] in [-1, 1]. Measure it on images that were not fitted.
double reconstruction_psnr(const LinearCode& code, const torch::Tensor& images);

}  // namespace ldm
