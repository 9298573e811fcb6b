#include "ldm/model/identity_conditioner.h"

#include <ATen/ATen.h>

#include <vector>

#include "ldm/core/error.h"
#include "ldm/model/class_conditioner.h"

namespace ldm {
namespace {

constexpr char kIdentity[] = "identity condition";

}  // namespace

IdentityConditioner::IdentityConditioner(const Wiring& wiring, int64_t context_dim, int64_t classes,
                                         int64_t map_channels)
    : wiring_(wiring), context_dim_(context_dim), classes_(classes), map_channels_(map_channels) {
  check(wiring.any(), ErrorKind::kInternal, "IdentityConditioner: nothing is wired");
}

ConditionReads IdentityConditioner::reads() const {
  return {.picture = wiring_.concat ? PictureUse::kLowResolution : PictureUse::kNone,
          .channels = map_channels_,
          .per_latent = 1,
          .embeddings = wiring_.context ? context_dim_ : 0,
          .vector = wiring_.y && classes_ == 0};
}

Conditioning IdentityConditioner::encode(std::span<const Condition> conditions) const {
  Conditioning out;
  if (wiring_.concat) out.concat = stack_field(conditions, &Condition::picture, kIdentity, "a picture");
  if (wiring_.context) out.context = context(conditions);
  if (wiring_.y) {
    out.y = classes_ > 0 ? class_ids(conditions, classes_, std::nullopt)
                         : stack_field(conditions, &Condition::vector, kIdentity, "a vector");
  }
  return out;
}

// Retrieval's "no condition" is a token of zeros (Blattmann et al. 2022).
torch::Tensor IdentityConditioner::context(std::span<const Condition> conditions) const {
  std::vector<Condition> filled(conditions.begin(), conditions.end());
  torch::Tensor zeros = at::zeros({1, context_dim_});
  for (const auto& condition : conditions) {
    if (condition.embeddings.defined()) zeros = at::zeros_like(condition.embeddings);
  }
  for (auto& condition : filled) {
    if (!condition.embeddings.defined()) condition.embeddings = zeros;
  }
  return stack_field(filled, &Condition::embeddings, kIdentity, "embeddings");
}

}  // namespace ldm
