#pragma once

#include <cstdint>
#include <optional>

namespace ldm {

// Quantised tensors are rows of blocks: so many elements in so many bytes.
struct GgufBlock {
  uint64_t elements = 1, bytes = 4;
};

// Nothing for types that are not read.
std::optional<GgufBlock> find_gguf_block(uint32_t type);

}  // namespace ldm
