#include "ldm/core/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "ldm/core/error.h"

namespace ldm {
namespace {

// Known answers published with Random123 (kat_vectors, philox4x32 10).
TEST(Philox, KnownAnswers) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (PhiloxCounter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr uint32_t kOnes = 0xffffffff;
  EXPECT_EQ(philox4x32({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (PhiloxCounter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (PhiloxCounter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Random, IsAFunctionOfItsFourArguments) {
  EXPECT_EQ(Random(1, "flip", 2, 3).next(), Random(1, "flip", 2, 3).next());
  const std::set<uint64_t> firsts{Random(1, "flip", 2, 3).next(), Random(2, "flip", 2, 3).next(),
                                  Random(1, "crop", 2, 3).next(), Random(1, "flip", 3, 2).next(),
                                  Random(1, "flip", 2, 4).next(), Random(1, "", 2, 3).next()};
  EXPECT_EQ(firsts.size(), 6u);
}

// These values are part of every run's reproducibility: a change of them is a change of all trainings.
TEST(Random, ValuesNeverChange) {
  Random random(23, "shuffle", 1, 0);
  EXPECT_EQ(random.next(), 0x292FBC64F8544866u);
  EXPECT_EQ(random.next(), 0x52E6FF4C5279B976u);
  EXPECT_EQ(random.next(), 0x7C4FAB665E12204Cu);
  EXPECT_EQ(Random(23, "shuffle").below(1000), 449);
  EXPECT_DOUBLE_EQ(Random(23, "shuffle").uniform(), 0.99187952038941629);
  EXPECT_NEAR(Random(23, "shuffle").normal(), -0.36329971451008525, 1e-12);
  EXPECT_EQ(permutation(8, Random(23, "shuffle", 1)), (std::vector<int64_t>{4, 5, 2, 3, 1, 0, 7, 6}));
}

TEST(Random, UniformFillsTheInterval) {
  Random random(5);
  double sum = 0, low = 1, high = 0;
  constexpr int kCount = 20000;
  for (int i = 0; i < kCount; ++i) {
    const double u = random.uniform();
    sum += u, low = std::min(low, u), high = std::max(high, u);
  }
  EXPECT_NEAR(sum / kCount, 0.5, 0.01);
  EXPECT_GE(low, 0.0);
  EXPECT_LT(low, 0.001);
  EXPECT_LT(high, 1.0);
  EXPECT_GT(high, 0.999);
}

TEST(Random, NormalHasItsMoments) {
  Random random(5);
  double sum = 0, squares = 0, fourth = 0;
  constexpr int kCount = 50000;
  for (int i = 0; i < kCount; ++i) {
    const double z = random.normal();
    sum += z, squares += z * z, fourth += z * z * z * z;
  }
  EXPECT_NEAR(sum / kCount, 0.0, 0.02);
  EXPECT_NEAR(squares / kCount, 1.0, 0.03);
  EXPECT_NEAR(fourth / kCount, 3.0, 0.2);
}

TEST(Random, BelowIsFairAndInRange) {
  Random random(9);
  std::vector<int> counts(7);
  for (int i = 0; i < 7000; ++i) ++counts[static_cast<size_t>(random.below(7))];
  for (const int count : counts) EXPECT_NEAR(count, 1000, 150);
  EXPECT_EQ(random.below(1), 0);
  EXPECT_THROW(random.below(0), Error);
  EXPECT_THROW(random.below(-3), Error);
}

TEST(Permutation, HasEveryNumberOnce) {
  auto order = permutation(1000, Random(1, "shuffle", 4));
  EXPECT_NE(order, permutation(1000, Random(1, "shuffle", 5)));
  EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
  std::sort(order.begin(), order.end());
  for (int64_t i = 0; i < 1000; ++i) EXPECT_EQ(order[static_cast<size_t>(i)], i);
  EXPECT_TRUE(permutation(0, Random(1)).empty());
  EXPECT_THROW(permutation(-1, Random(1)), Error);
}

}  // namespace
}  // namespace ldm
