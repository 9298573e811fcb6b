#pragma once

#include <torch/nn/module.h>

#include <cstdint>
#include <string>

#include "ldm/nn/layers.h"

namespace ldm {

// Classes that a num_classes counts; 0 when it is no positive number.
int64_t class_count(const std::string& num_classes);

// The UNet's label condition, added to the time embedding. `kind` is the value of num_classes:
//   "K"           y [N] int64 class ids below K         parameters label_emb.weight
//   "continuous"  y [N, 1] numbers                      parameters label_emb
//   "timestep"    y [N] numbers, embedded as times are  parameters label_emb.1.{0,2}
//   "sequential"  y [N, in_channels] a vector           parameters label_emb.0.{0,2}
class LabelEmbedding {
 public:
  LabelEmbedding() = default;
  // Registers its layers in `parent`. Throws kUsage for another kind.
  LabelEmbedding(torch::nn::Module& parent, const std::string& kind, int64_t in_channels, int64_t width);

  explicit operator bool() const { return table_ || first_; }
  torch::Tensor operator()(const torch::Tensor& y) const;  // -> [N, width]

 private:
  torch::Tensor project(const torch::Tensor& y) const;

  Embedding table_;
  int64_t sines_ = 0;  // Width of the sinusoidal embedding of "timestep".
  Linear first_;
  Linear second_;
};

}  // namespace ldm
