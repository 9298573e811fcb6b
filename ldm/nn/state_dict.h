#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ldm {

using StateDict = std::map<std::string, torch::Tensor>;

struct TensorFile {
  StateDict tensors;
  std::map<std::string, std::string> metadata;
};

// Reads a safetensors file. The tensors lie in the mapped file (which they keep alive) and must not be
// written to. Throws kData when it cannot be read, kFormat when it breaks the format.
TensorFile read_tensor_file(const std::filesystem::path& path);

// Writes tensors (any device; made contiguous) and string metadata, atomically.
void write_tensor_file(const std::filesystem::path& path, const StateDict& tensors,
                       const std::map<std::string, std::string>& metadata = {});

// Parameters and buffers of a module by their dotted names with `prefix` in front; detached, sharing storage.
StateDict state_dict(const torch::nn::Module& module, std::string_view prefix = "");

// What did not fit when a module was filled.
struct LoadReport {
  std::vector<std::string> missing;     // The module has it, the file does not.
  std::vector<std::string> unexpected;  // The file has it (under the prefix), the module does not.
  std::vector<std::string> mis_shaped;  // "name: expected [..], got [..]".
  bool ok() const { return missing.empty() && unexpected.empty() && mis_shaped.empty(); }
  std::string table() const;  // For people; one name a line, at most 20 of each sort.
};

// Copies the entries that start with `prefix` into the module, converting the dtype; whatever fits is loaded
// and the rest reported. Strictness is the caller's: throw when !ok().
LoadReport load_state_dict(torch::nn::Module& module, const StateDict& tensors, std::string_view prefix = "");

// The same, and takes the entries that the module has out of `tensors`, one by one, so that each can be freed
// as soon as it is copied.
LoadReport take_state_dict(torch::nn::Module& module, StateDict& tensors, std::string_view prefix = "");

}  // namespace ldm
