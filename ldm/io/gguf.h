#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ldm {

// Number types of GGUF tensors that are read; the value is the file's.
enum class GgufType : uint32_t {
  kF32 = 0,
  kF16 = 1,
  kQ4_0 = 2,
  kQ4_1 = 3,
  kQ5_0 = 6,
  kQ5_1 = 7,
  kQ8_0 = 8,
  kQ4_K = 12,
  kQ5_K = 13,
  kQ6_K = 14,
  kBF16 = 30,
};

std::string_view gguf_type_name(GgufType type);  // "Q4_K"

struct GgufTensor {
  std::string name;
  GgufType type = GgufType::kF32;
  std::vector<int64_t> shape;  // Row-major, as PyTorch has it (the file lists it backwards).
  std::span<const std::byte> data;
};

struct GgufFile {
  uint32_t version = 3;
  // Numbers, booleans and texts by key, as text; arrays as "[n values]".
  std::map<std::string, std::string> metadata;
  std::vector<GgufTensor> tensors;  // In the order of the file; names are distinct, data does not overlap.
};

struct GgufLimits {
  uint64_t max_entries = 100'000;  // Tensors, and keys of the metadata.
  uint64_t max_text_bytes = 1 << 20;
};

bool is_gguf(std::span<const std::byte> bytes);

// GGUF 2 and 3, little-endian. Every count and offset is checked against the file. Throws kFormat.
// Source: ggml's docs/gguf.md.
GgufFile parse_gguf(std::span<const std::byte> bytes, const GgufLimits& limits = {});

// The numbers of a tensor as float32; out has the product of its shape. Throws kInternal for another size.
// Source: the block layouts of ggml-common.h and the dequantize_row_* formulas of ggml-quants.c.
void dequantize(const GgufTensor& tensor, std::span<float> out);

}  // namespace ldm
