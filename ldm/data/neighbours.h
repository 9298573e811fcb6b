#pragma once

#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace ldm {

// The result of a search.
struct Neighbours {
  torch::Tensor indices;  // [B, k] int64, nearest first.
  torch::Tensor scores;   // [B, k] float32, cosines.
};

// A database of embeddings for retrieval-augmented models (Blattmann et al. 2022): exact search by the
// cosine. See neighbour_index.h for an approximate one.
class NeighbourBank {
 public:
  // embeddings [N, D], any float type. Rows are normalised to length 1. Throws kUsage for another shape, no
  // rows, numbers that are not finite, and a row of zeros.
  explicit NeighbourBank(const torch::Tensor& embeddings);

  // From the tensor `name` [N, D] (F32, F16 or BF16) of a safetensors file. Throws kData if the file cannot
  // be read and kFormat if it is broken or has no such tensor.
  static NeighbourBank read(const std::filesystem::path& path, const std::string& name = "embeddings");

  int64_t size() const { return embeddings_.size(0); }
  int64_t width() const { return embeddings_.size(1); }
  const torch::Tensor& rows() const { return embeddings_; }  // [N, D] float32, of length 1.

  // The k nearest rows to each query [B, D]. `exclude` [B] (or empty): a row that
  // each query must not find, itself for instance; -1 excludes none. Throws kUsage unless 1 <= k <= size()
  // (one less with `exclude`), for another width, and for queries that cannot be normalised.
  Neighbours search(const torch::Tensor& queries, int64_t k, const std::vector<int64_t>& exclude = {}) const;

  // The queries with length 1, float32, once they and the rest are found to be as search() wants them.
  torch::Tensor check_queries(const torch::Tensor& queries, int64_t k,
                              const std::vector<int64_t>& exclude) const;

  // Rows by index: [..., D] float32 for indices [...].
  torch::Tensor gather(const torch::Tensor& indices) const;

 private:
  torch::Tensor embeddings_;  // [N, D] float32, rows of length 1.
};

}  // namespace ldm
