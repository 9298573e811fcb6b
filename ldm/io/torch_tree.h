#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "ldm/io/pickle.h"
#include "ldm/io/torch_file.h"

namespace ldm {

// What a persistent id of torch.save says: ('storage', class, key, device, elements) and, in the older
// stream, (view key, offset, elements) of a part of it.
struct StorageId {
  std::string_view key;
  DType dtype = DType::kF32;
  uint64_t elements = 0, bytes = 0;  // Of the whole storage.
  uint64_t view_offset = 0, view_elements = 0;
};

// Throws kFormat.
StorageId read_storage_id(const Pickle& pickle, const PickleNode& persistent);

// The bytes of a whole storage, as many as id.bytes. Throws kFormat if the file does not have them.
using FindStorage = std::function<std::span<const std::byte>(const StorageId& id)>;

// Walks over the tree and fills out.tensors, out.values and out.foreign. Throws kFormat.
void read_torch_tree(const Pickle& pickle, const FindStorage& find_storage, const TorchFileLimits& limits,
                     TorchFile& out);

}  // namespace ldm
