#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "ldm/model/conditioner.h"
#include "ldm/model/wiring.h"

namespace ldm {

// Conditions that are given to the network as they are (the original's torch.nn.Identity): a map of the
// latents' size (super-resolution), tokens made elsewhere (retrieval), a vector or a class.
class IdentityConditioner : public Conditioner {
 public:
  // Reads `picture` where concat is wired, `embeddings` for context and, for y, the label when the network
  // counts `classes`, otherwise `vector`. context_dim: width of the null condition's tokens, which are zero.
  // map_channels: of the picture.
  IdentityConditioner(const Wiring& wiring, int64_t context_dim, int64_t classes, int64_t map_channels = 3);
  Conditioning encode(std::span<const Condition> conditions) const override;
  ConditionReads reads() const override;
  int64_t classes() const override { return wiring_.y ? classes_ : 0; }
  bool gives_map() const override { return wiring_.concat; }
  bool has_null() const override { return wiring_.context; }

 private:
  torch::Tensor context(std::span<const Condition> conditions) const;

  Wiring wiring_;
  int64_t context_dim_, classes_, map_channels_;
};

}  // namespace ldm
