#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "ldm/model/conditioner.h"
#include "ldm/nn/layers.h"

namespace ldm {

// Keys of the original's ClassEmbedder, and one of ours.
struct ClassConditionerOptions {
  int64_t embed_dim = 512;
  int64_t n_classes = 1000;           // A null class included. 0 in a run's file: what the data has.
  std::string key = "class";          // The original's: the batch's entry with the ids.
  std::optional<int64_t> null_class;  // The class that stands for "no class".

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("embed_dim", embed_dim, "width of the class token");
    visit("n_classes", n_classes,
          "number of classes, a null class included; 0 in training: those of the data and a null class");
    visit("key", key, "accepted from the original's files");
    visit("null_class", null_class, "the class that stands for no class");
  }
};

// A class as a context of one token (Rombach et al. 2022, App. E.2.1; the original's ClassEmbedder).
// Key `embedding.weight`.
class ClassConditioner : public Conditioner {
 public:
  // Throws kUsage for sizes that are not positive, or a null class beyond the classes.
  explicit ClassConditioner(const ClassConditionerOptions& options);
  Conditioning encode(std::span<const Condition> conditions) const override;
  int64_t classes() const override { return options_.n_classes; }
  bool has_null() const override { return options_.null_class.has_value(); }

  // ids [N] int64 -> [N, 1, embed_dim].
  torch::Tensor embed(const torch::Tensor& ids) const;

 private:
  ClassConditionerOptions options_;
  Embedding embedding_;
};

// The conditions' class numbers [N] int64; -1 stands for `null_class`. Throws kUsage for numbers outside
// 0..classes-1 and for -1 without a null class.
torch::Tensor class_ids(std::span<const Condition> conditions, int64_t classes,
                        std::optional<int64_t> null_class);

}  // namespace ldm
