#pragma once

#include <optional>
#include <string_view>

#include "ldm/io/safetensors.h"

namespace ldm {

// Whether a checkpoint may name this global. Names of tensors, and inert names of training frameworks; none
// of them is ever called.
bool is_checkpoint_global(std::string_view module, std::string_view name);

// Whether it belongs to a training framework rather than to the tensors.
bool is_foreign_global(std::string_view module);

// The number type of a storage class ("FloatStorage" -> F32; an UntypedStorage counts bytes, U8) and of a
// torch.dtype ("float32"). Nothing for other names.
std::optional<DType> storage_dtype(std::string_view name);
std::optional<DType> number_dtype(std::string_view name);

}  // namespace ldm
