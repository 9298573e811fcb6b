#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace ldm::cli {

// One tensor of a file of weights, without its numbers.
struct TensorSummary {
  std::string name, dtype;
  std::vector<int64_t> shape;

  int64_t numbers() const;
};

// What a file of weights says about itself; nothing is computed or made of it.
struct WeightSummary {
  std::string form;  // "safetensors", "PyTorch checkpoint (zip)", "GGUF 3", ...
  std::vector<TensorSummary> tensors;
  std::map<std::string, std::string> metadata;
  std::set<std::string> foreign;  // Classes of training frameworks, which stay inert.

  bool has(const std::string& part) const;  // Of any tensor's name.
  std::string layout() const;               // "a model of this program", "original", "diffusers", ...
};

// safetensors, files of torch.save, GGUF and indices of several files, by their content, and folders of
// them. Throws as their readers do.
WeightSummary summarize_weights(const std::filesystem::path& path);

}  // namespace ldm::cli
