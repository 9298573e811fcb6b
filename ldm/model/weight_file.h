#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "ldm/nn/state_dict.h"

namespace ldm {

// How a file of weights is written.
enum class WeightForm { kSafetensors, kTorchZip, kTorchLegacy, kGguf };
std::string to_string(WeightForm form);  // For people: "safetensors", "PyTorch checkpoint (zip)", ...

// The content of a file of weights, under the names that it has there.
struct WeightFile {
  WeightForm form = WeightForm::kSafetensors;
  StateDict tensors;  // Views of the mapped file, not to be written to; of GGUF: float32 made of its blocks.
  std::map<std::string, std::string> metadata;  // Of PyTorch files: numbers and texts by path ("epoch").
  std::set<std::string> foreign;                // Classes of training frameworks named inside; inert.
  std::set<std::string> dtypes;                 // Number types, as the file spells them.
};

// Reads safetensors, files of torch.save (.ckpt, .pt, .pth, .bin), GGUF, and the index of weights in several
// files (model.safetensors.index.json); the content decides, not the name. Nothing in a pickle is executed.
// Throws kData when it cannot be read, kFormat when it breaks its format.
WeightFile read_weight_file(const std::filesystem::path& path);

// The index of weights in several files that a folder holds (*.safetensors.index.json, *.bin.index.json).
// Throws kData, with a hint, unless it holds exactly one.
std::filesystem::path find_weight_index(const std::filesystem::path& folder);

}  // namespace ldm
