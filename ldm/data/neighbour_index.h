#pragma once

#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "ldm/data/neighbours.h"

namespace ldm {

// Settings of hierarchical navigable small worlds; larger ones find more and take longer.
struct NeighbourIndexOptions {
  int64_t links = 16;          // Of a row to others; M of the paper.
  int64_t build_effort = 200;  // Candidates looked at while a row is put in; efConstruction.
  int64_t search_effort = 64;  // Candidates looked at in a search, at least k; ef.
};

// An approximate index over a bank of embeddings (Malkov & Yashunin 2016, "Efficient and robust approximate
// nearest neighbor search using Hierarchical Navigable Small World graphs"), by hnswlib. It pays where every
// row of a large bank is a query, as in training: n searches take about n log n instead of n^2. For a few
// queries an exact search is faster than building it. The same bank gives the same index.
class NeighbourIndex {
 public:
  // Whether the program was built with hnswlib.
  static bool available();

  // Keeps a reference to `bank`. Throws kUsage without hnswlib and for options below 1 (links below 2).
  explicit NeighbourIndex(const NeighbourBank& bank, const NeighbourIndexOptions& options = {});
  ~NeighbourIndex();
  NeighbourIndex(const NeighbourIndex&) = delete;
  NeighbourIndex& operator=(const NeighbourIndex&) = delete;

  // As NeighbourBank::search, but for some of the nearest that may be missed. Scores are exact.
  Neighbours search(const torch::Tensor& queries, int64_t k, const std::vector<int64_t>& exclude = {}) const;

 private:
  struct Graph;
  const NeighbourBank& bank_;
  NeighbourIndexOptions options_;
  std::unique_ptr<Graph> graph_;
};

}  // namespace ldm
