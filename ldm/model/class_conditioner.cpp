#include "ldm/model/class_conditioner.h"

#include <ATen/ATen.h>

#include "ldm/core/error.h"

namespace ldm {

torch::Tensor class_ids(std::span<const Condition> conditions, int64_t classes,
                        std::optional<int64_t> null_class) {
  auto ids = at::empty({static_cast<int64_t>(conditions.size())}, at::kLong);
  auto* out = ids.data_ptr<int64_t>();
  for (const auto& condition : conditions) {
    const auto label = condition.label < 0 ? null_class.value_or(-1) : condition.label;
    check(label >= 0, "class condition: the model has no null class, so every sample needs a class number");
    check(label < classes, "class condition: expected a class in 0..", classes - 1, ", got ", label);
    *out++ = label;
  }
  return ids;
}

ClassConditioner::ClassConditioner(const ClassConditionerOptions& o) : options_(o) {
  check(o.embed_dim > 0 && o.n_classes > 0,
        "class_embedder: expected a positive embed_dim and n_classes, got ", o.embed_dim, " and ",
        o.n_classes);
  check(!o.null_class || (*o.null_class >= 0 && *o.null_class < o.n_classes),
        "class_embedder: expected a null_class in 0..", o.n_classes - 1, ", got ", o.null_class.value_or(-1));
  embedding_ = add(*this, "embedding", embedding(o.n_classes, o.embed_dim));
}

Conditioning ClassConditioner::encode(std::span<const Condition> conditions) const {
  return {.context = embed(class_ids(conditions, options_.n_classes, options_.null_class))};
}

torch::Tensor ClassConditioner::embed(const torch::Tensor& ids) const {
  return embedding_(ids.to(embedding_->weight.device()).unsqueeze(1));
}

}  // namespace ldm
