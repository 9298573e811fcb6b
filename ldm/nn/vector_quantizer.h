#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "ldm/core/random.h"

namespace ldm {

struct VectorQuantizerOptions {
  int64_t n_e = 8192;  // Codes.
  int64_t e_dim = 3;   // Channels of a code.
  double beta = 0.25;  // Weight of one of the two loss terms.
  bool legacy = true;  // beta weighs the codebook term instead of the commitment term, as released.
  bool sane_index_shape = false;  // Indices as [N, H, W] instead of flat.
  // The original's remap: indices count within these codes (each in 0..n_e-1). Empty: within all.
  std::vector<int64_t> used;
  // What the index of another code becomes: random (one of the used), extra (used.size()), or a number.
  std::string unknown = "random";
};

struct Quantized {
  torch::Tensor latents;  // The nearest codes, [N, C, H, W]; gradients pass straight through to the input.
  torch::Tensor loss;     // Codebook and commitment loss, a scalar.
  torch::Tensor indices;  // int64, [N H W] or [N, H, W]; within `used` if there are any.
};

// VectorQuantizer2 of taming-transformers (van den Oord et al. 2017; Esser et al. 2021).
// forward: z [N, C, H, W]. Parameter: embedding.weight [n_e, e_dim], from U(-1/n_e, 1/n_e); buffer: used,
// where there are any.
class VectorQuantizer : public torch::nn::Module {
 public:
  explicit VectorQuantizer(const VectorQuantizerOptions& options);
  Quantized forward(const torch::Tensor& z) const;

  // The codes of indices of any shape with N H W entries: [N, C, H, W]. Indices are as forward gives them.
  torch::Tensor codebook_entry(const torch::Tensor& indices, int64_t n, int64_t height, int64_t width) const;
  const torch::Tensor& codebook() const { return codebook_; }
  int64_t code_channels() const { return codebook_.size(1); }

 private:
  void register_used();
  torch::Tensor codes_at(const torch::Tensor& indices, int64_t n, int64_t height, int64_t width) const;
  torch::Tensor to_used(const torch::Tensor& indices) const;
  torch::Tensor from_used(const torch::Tensor& indices) const;

  VectorQuantizerOptions options_;
  torch::Tensor codebook_;
  torch::Tensor used_;  // [used], int64; undefined without remap.
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
