#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ldm/core/error.h"
#include "ldm/io/safetensors.h"

namespace ldm {

// A named array of numbers as a view of bytes. Element (i, j, ...) begins at byte
// (i * strides[0] + j * strides[1] + ...) * itemsize of `data`, and every element lies inside. Does not own
// its bytes.
struct StridedEntry {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<int64_t> shape, strides;  // In elements; strides are >= 0.
  std::span<const std::byte> data;
};

// Strides of a row-major array.
std::vector<int64_t> row_major_strides(const std::vector<int64_t>& shape);

// The number of elements. Throws kFormat, naming `name`, for a negative size or an overflow.
int64_t element_count(std::string_view name, const std::vector<int64_t>& shape);

// How many elements of a storage the view reaches over: 1 + the largest index, 0 if it has no elements.
// Throws kFormat, naming `name`, for negative sizes or strides, another number of strides, or an overflow.
int64_t view_extent(std::string_view name, const std::vector<int64_t>& shape,
                    const std::vector<int64_t>& strides);

}  // namespace ldm
