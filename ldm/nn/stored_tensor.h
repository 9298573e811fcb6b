#pragma once

#include <torch/types.h>

#include <memory>

#include "ldm/io/strided.h"

namespace ldm {

// The number types that both LibTorch and files know.
at::ScalarType scalar_type(DType dtype);     // Throws kFormat for those that tensors cannot hold.
DType dtype_of(at::ScalarType scalar_type);  // Throws kUsage for those that files cannot hold.

// Whether the bytes of an entry lie in a mapped file or in memory.
enum class Stored { kMapped, kInMemory };

// The tensor that lies there, without a copy (unless its numbers are not aligned); it must not be written to.
// `owner` keeps the bytes alive. When the last view of a mapped tensor goes, its pages are given back to the
// system: a loaded file does not stay resident beside the weights made of it.
torch::Tensor stored_tensor(const StridedEntry& entry, std::shared_ptr<const void> owner, Stored stored);

}  // namespace ldm
