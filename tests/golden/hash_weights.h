#pragma once

#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace ldm::golden {

// Which of the two READMEs' rules: they differ for embeddings and for VGG's gain.
struct HashWeightRule {
  uint64_t seed = 0;
  double gain = 1.0;
  bool model_rules = true;  // golden/models: embeddings 0.5 n.
  bool vgg_gain = false;  // golden/models, kinds lpips, ae_loss, ae_train: sqrt(2) for keys with "net.slice".
};

// The generated weight of one state-dict key (float32; int64 for num_batches_tracked).
torch::Tensor hash_weight(const std::string& key, const std::vector<int64_t>& shape,
                          const HashWeightRule& rule);

struct NamedShape {
  std::string name;
  std::vector<int64_t> shape;
};

// Reads "name 1,2,3", "name ()" or "name [1, 2, 3]" lines.
std::vector<NamedShape> read_shapes(const std::filesystem::path& path);

}  // namespace ldm::golden
