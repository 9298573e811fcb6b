#include "ldm/train/batch_conditions.h"

#include <ATen/core/Tensor.h>

#include <string_view>
#include <utility>

#include "ldm/core/error.h"

namespace ldm {
namespace {

using ConditionField = torch::Tensor Condition::*;

constexpr std::pair<std::string_view, ConditionField> kConditionFields[] = {
    {"LR_image", &Condition::picture},     {"masked_image", &Condition::picture},
    {"segmentation", &Condition::picture}, {"mask", &Condition::mask},
    {"objects_bbox", &Condition::tokens},  {"neighbours", &Condition::embeddings},
};

ConditionField condition_field(std::string_view name) {
  for (const auto& [known, field] : kConditionFields) {
    if (known == name) return field;
  }
  fail(ErrorKind::kInternal, "to_condition: no conditioner reads '", name, "'");
}

}  // namespace

Condition to_condition(const Conditions& conditions) {
  Condition out;
  for (const auto& [name, value] : conditions) out.*condition_field(name) = value;
  if (out.mask.defined()) out.mask = (out.mask + 1.0) * 0.5;  // To {0, 1}.
  return out;
}

std::vector<Condition> to_conditions(const Batch& batch) {
  std::vector<Condition> out;
  for (size_t k = 0; k < batch.indices.size(); ++k) {
    Conditions own;
    for (const auto& [name, values] : batch.conditions) own[name] = values[static_cast<int64_t>(k)];
    out.push_back(to_condition(own));
    out.back().caption = batch.captions[k];
    out.back().label = batch.labels.const_data_ptr<int64_t>()[k];
  }
  return out;
}

}  // namespace ldm
