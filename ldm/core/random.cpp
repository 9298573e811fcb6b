#include "ldm/core/random.h"

#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

#include "ldm/core/error.h"

namespace ldm {
namespace {

constexpr uint32_t low(uint64_t x) { return static_cast<uint32_t>(x); }
constexpr uint32_t high(uint64_t x) { return static_cast<uint32_t>(x >> 32); }

// FNV-1a, 64 bits (Fowler, Noll, Vo).
constexpr uint64_t hash_name(std::string_view name) {
  uint64_t hash = 0xCBF29CE484222325;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return hash;
}

}  // namespace

Random::Random(uint64_t seed, std::string_view purpose, uint64_t a, uint64_t b) {
  // Two block functions in a row turn (seed, purpose), then (a, b), into this stream's key and upper counter
  // words.
  const uint64_t name = hash_name(purpose);
  const auto outer = philox4x32({low(name), high(name), 0, 0}, {low(seed), high(seed)});
  const auto inner = philox4x32({low(a), high(a), low(b), high(b)}, {outer[0], outer[1]});
  key_ = {inner[0], inner[1]};
  counter_ = {0, 0, inner[2], inner[3]};
}

uint64_t Random::next() {
  if (next_word_ == 4) {
    block_ = philox4x32(counter_, key_);
    if (++counter_[0] == 0) ++counter_[1];
    next_word_ = 0;
  }
  const auto word = static_cast<size_t>(next_word_);
  next_word_ += 2;
  return block_[word] | uint64_t{block_[word + 1]} << 32;
}

double Random::uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }

double Random::normal() {
  const double u = 1.0 - uniform();  // (0, 1]: the logarithm stays finite.
  const double v = uniform();
  return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v);
}

int64_t Random::below(int64_t n) {
  check(n > 0, "Random::below: expected n > 0, got ", n);
  const auto range = static_cast<uint64_t>(n);
  const uint64_t unfair = (0 - range) % range;  // This many of the 2^64 values would favour small results.
  uint64_t bits = next();
  while (bits < unfair) bits = next();
  return static_cast<int64_t>(bits % range);
}

std::vector<int64_t> permutation(int64_t n, Random random) {
  check(n >= 0, "permutation: expected n >= 0, got ", n);
  std::vector<int64_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), int64_t{0});
  for (int64_t i = n - 1; i > 0; --i) {
    std::swap(order[static_cast<size_t>(i)], order[static_cast<size_t>(random.below(i + 1))]);
  }
  return order;
}

}  // namespace ldm
