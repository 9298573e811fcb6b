// NeighbourIndex against exact search.
#include "ldm/data/neighbour_index.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <numeric>

#include "ldm/core/error.h"

namespace ldm {
namespace {

NeighbourBank random_bank(int64_t rows) {
  at::manual_seed(4);
  return NeighbourBank(at::randn({rows, 24}));
}

TEST(NeighbourIndex, FindsNearlyAllThatExactSearchFinds) {
  if (!NeighbourIndex::available()) GTEST_SKIP() << "built without hnswlib";
  constexpr int64_t kRows = 2000, kNearest = 5;
  const auto bank = random_bank(kRows);
  std::vector<int64_t> itself(kRows);
  std::iota(itself.begin(), itself.end(), 0);
  const auto exact = bank.search(bank.rows(), kNearest, itself);
  const auto found = NeighbourIndex(bank).search(bank.rows(), kNearest, itself);
  const auto same = found.indices.unsqueeze(2).eq(exact.indices.unsqueeze(1)).any(2).to(at::kDouble);
  EXPECT_GT(same.mean().item<double>(), 0.9);
  EXPECT_FALSE(found.indices.eq(at::tensor(itself).unsqueeze(1)).any().item<bool>()) << "found itself";
  EXPECT_TRUE((found.scores.diff(1, 1) <= 1e-6).all().item<bool>()) << "not nearest first";
  const auto again = NeighbourIndex(bank).search(bank.rows(), kNearest, itself);
  EXPECT_TRUE(at::equal(again.indices, found.indices));
}

TEST(NeighbourIndex, AllRowsCanBeAskedFor) {
  if (!NeighbourIndex::available()) GTEST_SKIP() << "built without hnswlib";
  const auto bank = random_bank(7);
  const auto all = NeighbourIndex(bank).search(bank.rows(), 7);
  EXPECT_TRUE(at::equal(std::get<0>(all.indices.sort(1)), at::arange(7).expand({7, 7})));
}

TEST(NeighbourIndex, RefusesWhatExactSearchRefuses) {
  const auto bank = random_bank(7);
  const auto refused = [&](const NeighbourIndexOptions& o, const torch::Tensor& q, int64_t k) {
    EXPECT_THROW(NeighbourIndex(bank, o).search(q, k), Error);
  };
  refused({}, at::ones({1, 23}), 1);
  refused({}, at::ones({1, 24}), 8);
  refused({.links = 1}, at::ones({1, 24}), 1);
}

}  // namespace
}  // namespace ldm
