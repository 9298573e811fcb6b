#include "ldm/nn/class_embedder.h"

#include "ldm/core/error.h"

namespace ldm {

ClassEmbedder::ClassEmbedder(const ClassEmbedderOptions& o) : options_(o) {
  check(o.embed_dim > 0 && o.n_classes > 0, "class_embedder: expected positive embed_dim and n_classes, got ",
        o.embed_dim, " and ", o.n_classes);
  embedding_ = add(*this, "embedding", embedding(o.n_classes, o.embed_dim));
}

torch::Tensor ClassEmbedder::forward(const torch::Tensor& ids) const {
  check(ids.dim() == 1, "class_embedder: expected class ids of shape [N], got ", ids.sizes());
  return embedding_(ids.unsqueeze(1));
}

}  // namespace ldm
