#pragma once

#include <torch/nn/module.h>

#include <string>

#include "ldm/nn/layers.h"

namespace ldm {

// Keys of the original's ClassEmbedder.
struct ClassEmbedderOptions {
  int64_t embed_dim = 512;
  int64_t n_classes = 1000;   // Models with guidance have one more, the null class.
  std::string key = "class";  // The batch's entry that holds the ids.

  template <typename Visit>
  void fields(Visit&& visit) {
    visit("embed_dim", embed_dim, "width of the token");
    visit("n_classes", n_classes, "number of classes, the null class included");
    visit("key", key, "the batch's entry that holds the class ids");
  }
};

// A class as a context of one token (Rombach et al. 2022, App. E.2.1). ids [N] int64 -> [N, 1, embed_dim].
// Parameters: embedding.
class ClassEmbedder : public torch::nn::Module {
 public:
  explicit ClassEmbedder(const ClassEmbedderOptions& options);
  torch::Tensor forward(const torch::Tensor& ids) const;
  const ClassEmbedderOptions& options() const { return options_; }

 private:
  ClassEmbedderOptions options_;
  Embedding embedding_;
};

}  // namespace ldm
