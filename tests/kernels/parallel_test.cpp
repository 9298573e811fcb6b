#include "ldm/kernels/parallel.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

namespace ldm {
namespace {

class ParallelFor : public testing::Test {
 protected:
  void SetUp() override { at::set_num_threads(2); }
  void TearDown() override { at::set_num_threads(before_); }
  int before_ = at::get_num_threads();
};

TEST_F(ParallelFor, UsesSeveralThreadsAndMissesNothing) {
  std::vector<std::thread::id> by(64);
  std::atomic<int64_t> sum = 0;
  parallel_for(0, 64, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      by[static_cast<size_t>(i)] = std::this_thread::get_id();
      sum += i;
    }
  });
  EXPECT_EQ(sum, 64 * 63 / 2);
  EXPECT_EQ(std::set<std::thread::id>(by.begin(), by.end()).size(), 2u);
}

TEST_F(ParallelFor, SaysWhenAPartFails) {
  EXPECT_THROW(parallel_for(0, 2, 1, [](int64_t, int64_t) { throw std::runtime_error("part"); }), Error);
}

}  // namespace
}  // namespace ldm
