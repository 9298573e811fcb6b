#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "ldm/core/progress.h"
#include "ldm/core/stop.h"
#include "ldm/data/dataset.h"
#include "ldm/nn/first_stage.h"

namespace ldm {

// The original's scale_by_std: 1 over the (unbiased) standard deviation of all numbers of these latents.
double latent_scale(const torch::Tensor& latents);

// The latents of a data set under a frozen first stage: all of them computed once, or each batch when it is
// asked for. Latents are not scaled (LatentDiffusion::scale_factor is the caller's).
class LatentSet {
 public:
  // remember: encode everything now (a posterior's mean and deviation are kept, so that every draw is a new
  // sample). Throws Stopped on a stop request.
  LatentSet(DatasetPtr data, std::shared_ptr<const FirstStage> first_stage, at::Device device, bool remember,
            const ProgressFn& progress, const StopToken& stop);

  // Latents [indices, C, h, w] on the device; noise (unit, of that shape, on the CPU) draws from the
  // posterior, undefined gives its mode.
  torch::Tensor get(const std::vector<int64_t>& indices, const torch::Tensor& noise) const;
  // The same of pictures [N, 3, H, W] in [-1, 1] that are not in the set as they are, a random crop's for
  // instance.
  torch::Tensor encode_drawn(const torch::Tensor& pictures, const torch::Tensor& noise) const;

  // Standard deviation over all numbers of (at most 4096 evenly chosen) latents, the posterior's spread
  // included.
  double standard_deviation() const;

  at::IntArrayRef latent_shape() const { return shape_; }  // [C, h, w]

 private:
  // Means, and beside them along the channels the deviations where the first stage has a posterior.
  torch::Tensor encode(const torch::Tensor& images) const;
  torch::Tensor moments(const std::vector<int64_t>& indices) const;
  torch::Tensor draw(const torch::Tensor& moments, const torch::Tensor& noise) const;

  DatasetPtr data_;
  std::shared_ptr<const FirstStage> first_stage_;
  at::Device device_;
  std::vector<int64_t> shape_;
  torch::Tensor kept_;  // Moments of all examples; undefined without `remember`.
};

}  // namespace ldm
