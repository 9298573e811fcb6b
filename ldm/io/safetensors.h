#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ldm {

// The number types of the format, smallest first.
enum class DType {
  kBool,
  kF4,
  kF6E2M3,
  kF6E3M2,
  kU8,
  kI8,
  kF8E5M2,
  kF8E4M3,
  kF8E8M0,
  kF8E4M3FNUZ,
  kF8E5M2FNUZ,
  kI16,
  kU16,
  kF16,
  kBF16,
  kI32,
  kU32,
  kF32,
  kC64,
  kF64,
  kI64,
  kU64,
};

std::string_view dtype_name(DType dtype);  // As files spell it: "F32", "BF16", "F8_E4M3".
int64_t dtype_bits(DType dtype);           // 4, 6, 8, 16, 32 or 64.
DType parse_dtype(std::string_view name);  // Throws kFormat for an unknown name.

// A named array of numbers, little-endian and row-major. Does not own its bytes.
struct TensorEntry {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;
  std::span<const std::byte> data;
};

struct SafetensorsFile {
  std::vector<TensorEntry> tensors;  // In the order of their bytes; `data` points into what was parsed.
  std::map<std::string, std::string> metadata;
};

// Whether the bytes begin as a safetensors file: a length that is allowed, and a JSON object.
bool is_safetensors(std::span<const std::byte> bytes);

struct SafetensorsLimits {
  uint64_t max_header_bytes = 25'000'000;
  int64_t max_depth = 8;  // Nested levels of the header.
  int64_t max_rank = 32;  // Dimensions of a tensor.
};

// Reads a whole file in memory and believes nothing: header length, JSON, keys, shapes, number types and the
// layout (every byte after the header belongs to exactly one tensor) are checked. NaN and infinity are not.
// Throws kFormat. Source: the safetensors format description.
SafetensorsFile parse_safetensors(std::span<const std::byte> bytes, const SafetensorsLimits& limits = {});

// Writes a file atomically. The result depends on the entries and the metadata only, not on the entries'
// order: they are sorted by falling size of their numbers, then by name, and the data begins at a multiple
// of 8. Throws kUsage for equal names, the name "__metadata__", or bytes that do not fit shape and type;
// kData if it cannot be written (an older file is kept).
void write_safetensors(const std::filesystem::path& path, const std::vector<TensorEntry>& tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace ldm
