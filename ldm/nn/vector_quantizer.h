#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <cstdint>

#include "ldm/core/random.h"

namespace ldm {

struct VectorQuantizerOptions {
  int64_t n_e = 8192;  // Codes.
  int64_t e_dim = 3;   // Channels of a code.
  double beta = 0.25;  // Weight of one of the two loss terms.
  bool legacy = true;  // beta weighs the codebook term instead of the commitment term, as released.
  bool sane_index_shape = false;  // Indices as [N, H, W] instead of flat.
};

struct Quantized {
  torch::Tensor latents;  // The nearest codes, [N, C, H, W]; gradients pass straight through to the input.
  torch::Tensor loss;     // Codebook and commitment loss, a scalar.
  torch::Tensor indices;  // int64, [N H W] or [N, H, W].
};

// VectorQuantizer2 of taming-transformers (van den Oord et al. 2017; Esser et al. 2021).
// forward: z [N, C, H, W]. Parameter: embedding.weight [n_e, e_dim], from U(-1/n_e, 1/n_e).
class VectorQuantizer : public torch::nn::Module {
 public:
  explicit VectorQuantizer(const VectorQuantizerOptions& options);
  Quantized forward(const torch::Tensor& z) const;

  // The codes of indices of any shape with N H W entries: [N, C, H, W].
  torch::Tensor codebook_entry(const torch::Tensor& indices, int64_t n, int64_t height, int64_t width) const;
  const torch::Tensor& codebook() const { return codebook_; }
  int64_t code_channels() const { return codebook_.size(1); }

 private:
  VectorQuantizerOptions options_;
  torch::Tensor codebook_;
};

// Index of the nearest row of codebook [K, C] for each row of points [M, C]; bounded in memory.
torch::Tensor nearest_codes(const torch::Tensor& points, const torch::Tensor& codebook);

// How often each of `codes` codes stands in `indices` (int64, any shape): [codes], int64.
torch::Tensor count_codes(const torch::Tensor& indices, int64_t codes);

// k-means (Lloyd) centres of points [M, C], [codes, C]: a codebook that starts where the latents are. M >=
// codes. Empty clusters are restarted from points. A function of its arguments alone.
torch::Tensor kmeans_codebook(const torch::Tensor& points, int64_t codes, int64_t iterations, Random random);

// Moves every code whose usage [K] lies below `threshold` onto a row of points [M, C], drawn with the seed,
// and returns how many moved. Without this a codebook that starts badly collapses to a few codes.
int64_t restart_dead_codes(const torch::Tensor& codebook, const torch::Tensor& usage,
                           const torch::Tensor& points, double threshold, Random random);

}  // namespace ldm
