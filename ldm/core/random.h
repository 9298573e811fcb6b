#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "ldm/core/philox.h"

namespace ldm {

// A stream of random numbers that is a pure function of (seed, purpose, a, b): no state is shared and none
// has to be saved, so a resumed run draws what an unbroken one would. `purpose` separates uses of one seed
// ("shuffle", "flip"); a and b usually are the step or epoch and the index of the sample. Philox 4x32-10
// underneath. next, uniform and below give the same values on every platform; normal as far as its math
// library's log and cos do.
class Random {
 public:
  explicit Random(uint64_t seed, std::string_view purpose = "", uint64_t a = 0, uint64_t b = 0);

  uint64_t next();           // 64 random bits.
  double uniform();          // [0, 1), 53 random bits.
  double normal();           // Mean 0, variance 1 (Box and Muller 1958; two draws, nothing kept).
  int64_t below(int64_t n);  // 0..n-1, every value equally likely. Throws kUsage unless n > 0.

 private:
  PhiloxKey key_{};
  PhiloxCounter counter_{};  // The first two words count blocks, the last two belong to the stream.
  PhiloxCounter block_{};
  int next_word_ = 4;
};

// The numbers 0..n-1 in random order (Fisher and Yates). Throws kUsage if n < 0.
std::vector<int64_t> permutation(int64_t n, Random random);

}  // namespace ldm
