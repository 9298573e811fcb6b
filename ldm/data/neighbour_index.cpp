#include "ldm/data/neighbour_index.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "ldm/core/error.h"

#ifdef LDM_HNSWLIB
#include <hnswlib/hnswlib.h>
#endif

namespace ldm {

#ifdef LDM_HNSWLIB

struct NeighbourIndex::Graph {
  Graph(int64_t rows, int64_t width, const NeighbourIndexOptions& o)
      : space(static_cast<size_t>(width)),
        graph(&space, static_cast<size_t>(rows), static_cast<size_t>(o.links),
              static_cast<size_t>(o.build_effort)) {}

  // The rows that it finds for one query, nearest first, without `excluded`.
  std::vector<int64_t> find(const float* query, int64_t k, int64_t excluded) const {
    auto queue = graph.searchKnn(query, static_cast<size_t>(k + (excluded >= 0 ? 1 : 0)));
    std::vector<int64_t> out;
    for (; !queue.empty(); queue.pop()) {
      const auto row = static_cast<int64_t>(queue.top().second);
      if (row != excluded) out.push_back(row);
    }
    std::reverse(out.begin(), out.end());
    if (static_cast<int64_t>(out.size()) > k) out.resize(static_cast<size_t>(k));
    return out;
  }

  hnswlib::InnerProductSpace space;
  hnswlib::HierarchicalNSW<float> graph;
};

bool NeighbourIndex::available() { return true; }

NeighbourIndex::NeighbourIndex(const NeighbourBank& bank, const NeighbourIndexOptions& options)
    : bank_(bank), options_(options) {
  check(options.links >= 2 && options.build_effort >= 1 && options.search_effort >= 1,
        "NeighbourIndex: expected 2 links or more and efforts of 1 or more");
  graph_ = std::make_unique<Graph>(bank.size(), bank.width(), options);
  const auto* rows = bank.rows().const_data_ptr<float>();
  for (int64_t i = 0; i < bank.size(); ++i)
    graph_->graph.addPoint(rows + i * bank.width(), static_cast<size_t>(i));
}

Neighbours NeighbourIndex::search(const torch::Tensor& queries, int64_t k,
                                  const std::vector<int64_t>& exclude) const {
  const auto unit = bank_.check_queries(queries, k, exclude);
  graph_->graph.setEf(static_cast<size_t>(std::max(options_.search_effort, k + 1)));
  std::vector<torch::Tensor> indices;
  for (int64_t i = 0; i < unit.size(0); ++i) {
    const int64_t excluded = exclude.empty() ? -1 : exclude[static_cast<size_t>(i)];
    const auto alone = exclude.empty() ? exclude : std::vector<int64_t>{excluded};
    const auto found = graph_->find(unit.const_data_ptr<float>() + i * unit.size(1), k, excluded);
    // A part of the graph that no way leads out of holds fewer than k rows.
    indices.push_back(static_cast<int64_t>(found.size()) == k
                          ? at::tensor(found, at::kLong)
                          : bank_.search(unit.narrow(0, i, 1), k, alone).indices[0]);
  }
  const auto rows = at::stack(indices);
  return {rows, at::matmul(bank_.gather(rows), unit.unsqueeze(2)).squeeze(2)};
}

#else

struct NeighbourIndex::Graph {};

bool NeighbourIndex::available() { return false; }

NeighbourIndex::NeighbourIndex(const NeighbourBank& bank, const NeighbourIndexOptions& options)
    : bank_(bank), options_(options) {
  fail(
      ErrorKind::kUsage,
      "NeighbourIndex: this program was built without hnswlib; hint: install libhnswlib-dev and build again, "
      "or search exactly");
}

Neighbours NeighbourIndex::search(const torch::Tensor& queries, int64_t k,
                                  const std::vector<int64_t>& exclude) const {
  return bank_.search(queries, k, exclude);
}

#endif

NeighbourIndex::~NeighbourIndex() = default;

}  // namespace ldm
