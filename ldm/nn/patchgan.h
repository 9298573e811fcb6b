#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <functional>
#include <vector>

#include "ldm/nn/layers.h"

namespace ldm {

// x [N, C, H, W] normalised over N, H, W while training (then also updating the running statistics with
// momentum 0.1), by the running statistics otherwise. Parameters: weight, bias [C]; buffers: running_mean,
// running_var [C], num_batches_tracked.
class BatchNorm2dModule : public torch::nn::Module {
 public:
  explicit BatchNorm2dModule(int64_t channels, double eps = 1e-5);
  torch::Tensor forward(const torch::Tensor& x);
  torch::Tensor weight, bias, running_mean, running_var, num_batches_tracked;

 private:
  double eps_;
};

// scale (x + loc), set by the first training batch so that it comes out with mean 0 and deviation 1 (Kingma
// and Dhariwal 2018). Parameters: loc, scale [1, C, 1, 1]; buffer: initialized (uint8).
class ActNormModule : public torch::nn::Module {
 public:
  explicit ActNormModule(int64_t channels);
  torch::Tensor forward(const torch::Tensor& x);
  torch::Tensor loc, scale, initialized;
};

struct PatchDiscriminatorOptions {
  int64_t input_nc = 3;      // Channels of the images.
  int64_t ndf = 64;          // Width of the first layer; doubles per layer up to 8 times.
  int64_t n_layers = 3;      // Layers that halve the size.
  bool use_actnorm = false;  // ActNorm instead of BatchNorm.
};

// NLayerDiscriminator of pix2pix (Isola et al. 2017) as in taming-transformers: forward x [N, C, H, W] -> one
// logit per patch, [N, 1, ~H/2^n, ~W/2^n]. Convolutions start from N(0, 0.02^2). Parameters: main.{i}.
class PatchDiscriminator : public torch::nn::Module {
 public:
  explicit PatchDiscriminator(const PatchDiscriminatorOptions& options = {});
  torch::Tensor forward(const torch::Tensor& x) const;

 private:
  void add_conv(int64_t in, int64_t out, int64_t stride, bool bias);
  void add_norm(int64_t channels, bool actnorm);
  void add_leaky_relu();

  std::vector<std::function<torch::Tensor(const torch::Tensor&)>> steps_;  // steps_[i] is main.{i}.
};

}  // namespace ldm
