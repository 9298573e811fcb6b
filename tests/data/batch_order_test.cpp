#include "ldm/data/batch_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <set>
#include <vector>

#include "tests/data/temp_folder.h"

namespace ldm {
namespace {

std::vector<int64_t> draws(const BatchOrder& order, int64_t batches) {
  std::vector<int64_t> out;
  for (int64_t b = 0; b < batches; ++b) {
    const auto part = order.indices(b);
    out.insert(out.end(), part.begin(), part.end());
  }
  return out;
}

TEST(BatchOrder, EqualWeightsGivePermutations) {
  const BatchOrder order(std::vector<double>(10, 0.3), 5, 1);
  EXPECT_EQ(order.epoch_size(), 10);
  const auto first = draws(order, 4);
  const std::vector<int64_t> one(first.begin(), first.begin() + 10), two(first.begin() + 10, first.end());
  EXPECT_EQ(std::set<int64_t>(one.begin(), one.end()).size(), 10U);
  EXPECT_EQ(std::set<int64_t>(two.begin(), two.end()).size(), 10U);
  EXPECT_NE(one, two);
}

TEST(BatchOrder, BatchesRunOverTheEndsOfEpochs) {
  const BatchOrder order(std::vector<double>(3, 1), 7, 1);
  const auto all = draws(order, 3);
  for (size_t i = 0; i < 21; i += 3)
    EXPECT_EQ(
        std::set<int64_t>(all.begin() + static_cast<int64_t>(i), all.begin() + static_cast<int64_t>(i) + 3)
            .size(),
        3U);
}

TEST(BatchOrder, WeightsAreFrequencies) {
  std::vector<double> weights(40, 1.0);
  for (size_t i = 20; i < 40; ++i) weights[i] = 0.35;
  const BatchOrder order(weights, 27, 9);
  EXPECT_EQ(order.epoch_size(), 27);  // 20 + 7.
  std::vector<int64_t> count(40);
  constexpr int64_t kEpochs = 2000;
  for (int64_t e = 0; e < kEpochs; ++e) {
    const auto epoch = order.indices(e);
    EXPECT_EQ(std::set<int64_t>(epoch.begin(), epoch.end()).size(), epoch.size());  // None twice.
    for (int64_t i : epoch) ++count[static_cast<size_t>(i)];
  }
  for (size_t i = 0; i < 20; ++i) EXPECT_EQ(count[i], kEpochs);
  for (size_t i = 20; i < 40; ++i) EXPECT_NEAR(static_cast<double>(count[i]) / kEpochs, 0.35, 0.05);
}

TEST(BatchOrder, AnyBatchCanBeAskedForFirst) {
  const std::vector<double> weights = {1, 0.5, 0.25, 1, 0.7, 0.1};
  const BatchOrder unbroken(weights, 4, 3), resumed(weights, 4, 3), other(weights, 4, 4);
  const auto all = draws(unbroken, 50);
  for (int64_t b = 49; b >= 0; b -= 7) {
    EXPECT_EQ(resumed.indices(b), std::vector<int64_t>(all.begin() + 4 * b, all.begin() + 4 * b + 4));
  }
  EXPECT_NE(draws(other, 50), all);
}

TEST(BatchOrder, ChecksItsArguments) {
  const auto error = [](std::vector<double> weights, int64_t batch_size) {
    return error_of(ErrorKind::kUsage, [&] { BatchOrder(weights, batch_size, 0); });
  };
  EXPECT_TRUE(contains(error({}, 1), "expected examples"));
  EXPECT_TRUE(contains(error({1}, 0), "got 0"));
  EXPECT_TRUE(contains(error({1, 0}, 1), "weights > 0, got 0"));
  EXPECT_TRUE(contains(error({std::numeric_limits<double>::infinity()}, 1), "got inf"));
  EXPECT_THROW(BatchOrder({1}, 1, 0).indices(-1), Error);
}

}  // namespace
}  // namespace ldm
