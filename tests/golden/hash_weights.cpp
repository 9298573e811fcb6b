#include "tests/golden/hash_weights.h"

#include <array>
#include <cmath>
#include <fstream>
#include <numbers>

#include "ldm/core/error.h"

namespace ldm::golden {
namespace {

// CRC-32 as in zlib.
uint32_t crc32(const std::string& text) {
  uint32_t crc = 0xFFFFFFFFu;
  for (const unsigned char c : text) {
    crc ^= c;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (0xEDB88320u & (0u - (crc & 1u)));
  }
  return ~crc;
}

// Uniform with mean 0 and variance 1, of element i of the tensor with this key's crc (splitmix64).
double unit_value(uint32_t crc, uint64_t i, uint64_t seed) {
  constexpr uint64_t kGamma = 0x9E3779B97F4A7C15u;
  uint64_t z = (static_cast<uint64_t>(crc) << 32) + i + seed * kGamma + kGamma;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  z ^= z >> 31;
  return (static_cast<double>(z >> 40) * 0x1p-24 - 0.5) * 3.4641016151377544;
}

bool ends_with(const std::string& s, std::string_view end) {
  return s.size() >= end.size() && s.compare(s.size() - end.size(), end.size(), end) == 0;
}

bool is_embedding(const std::string& key) {
  for (const char* part : {"embedding", "token_emb", "pos_emb", "label_emb.weight", "quantize.embed"}) {
    if (key.find(part) != std::string::npos) return true;
  }
  return false;
}

// value = offset + scale n, or 1 + scale n^2 where squared.
struct Affine {
  double offset = 0.0, scale = 0.0;
  bool squared = false;
};

Affine affine_of(const std::string& key, const std::vector<int64_t>& shape, const HashWeightRule& rule) {
  if (ends_with(key, "running_mean")) return {0.0, 0.1};
  if (ends_with(key, "running_var")) return {1.0, 0.25, true};
  if (shape.size() <= 1) return ends_with(key, "weight") ? Affine{1.0, 0.1} : Affine{0.0, 0.05};
  if (rule.model_rules && shape.size() == 2 && is_embedding(key)) return {0.0, 0.5};
  double fan_in = 1.0;
  for (size_t i = 1; i < shape.size(); ++i) fan_in *= static_cast<double>(shape[i]);
  const bool vgg = rule.vgg_gain && key.find("net.slice") != std::string::npos;
  return {0.0, (vgg ? std::numbers::sqrt2 : rule.gain) / std::sqrt(fan_in)};
}

}  // namespace

torch::Tensor hash_weight(const std::string& key, const std::vector<int64_t>& shape,
                          const HashWeightRule& rule) {
  if (ends_with(key, "num_batches_tracked")) return torch::Tensor(at::full(shape, 7, at::kLong));
  auto out = at::empty(shape, at::kFloat);
  auto* data = out.data_ptr<float>();
  const uint32_t crc = crc32(key);
  const auto a = affine_of(key, shape, rule);
  for (int64_t i = 0; i < out.numel(); ++i) {
    const double n = unit_value(crc, static_cast<uint64_t>(i), rule.seed);
    data[i] = static_cast<float>(a.offset + a.scale * (a.squared ? n * n : n));
  }
  return out;
}

std::vector<NamedShape> read_shapes(const std::filesystem::path& path) {
  std::ifstream in(path);
  check(static_cast<bool>(in), ErrorKind::kData, "read_shapes: cannot open ", path.string());
  std::vector<NamedShape> out;
  for (std::string line; std::getline(in, line);) {
    const auto space = line.find(' ');
    if (space == std::string::npos) continue;
    NamedShape entry{line.substr(0, space), {}};
    int64_t number = -1;
    for (const char c : line.substr(space) + ",") {
      if (c >= '0' && c <= '9') {
        number = (number < 0 ? 0 : number) * 10 + (c - '0');
      } else if (number >= 0) {
        entry.shape.push_back(number);
        number = -1;
      }
    }
    out.push_back(std::move(entry));
  }
  return out;
}

}  // namespace ldm::golden
