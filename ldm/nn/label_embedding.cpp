#include "ldm/nn/label_embedding.h"

#include <ATen/ATen.h>

#include <charconv>

#include "ldm/core/error.h"
#include "ldm/nn/timestep_embedding.h"

namespace ldm {

int64_t class_count(const std::string& text) {
  int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  return error == std::errc{} && end == text.data() + text.size() && count > 0 ? count : 0;
}

LabelEmbedding::LabelEmbedding(torch::nn::Module& parent, const std::string& kind, int64_t in_channels,
                               int64_t width) {
  if (kind == "continuous") {
    first_ = add(parent, "label_emb", linear(1, width));
  } else if (kind == "timestep") {
    sines_ = width / 4;  // model_channels, as of the time embedding.
    first_ = add(parent, "label_emb.1.0", linear(sines_, width));
    second_ = add(parent, "label_emb.1.2", linear(width, width));
  } else if (kind == "sequential") {
    check(in_channels > 0, "unet: num_classes 'sequential' expects adm_in_channels");
    first_ = add(parent, "label_emb.0.0", linear(in_channels, width));
    second_ = add(parent, "label_emb.0.2", linear(width, width));
  } else {
    const int64_t classes = class_count(kind);
    check(classes > 0,
          "unet: expected num_classes to be a positive number, continuous, timestep or sequential, got '",
          kind, "'");
    table_ = add(parent, "label_emb", embedding(classes, width));
  }
}

torch::Tensor LabelEmbedding::operator()(const torch::Tensor& y) const {
  if (table_) {
    check(y.dim() == 1, "unet: expected class ids of shape [N], got ", y.sizes());
    return table_(y);
  }
  if (sines_ > 0) return project(timestep_embedding(y.flatten(), sines_));
  check(y.dim() == 2, "unet: expected label vectors of shape [N, D], got ", y.sizes());
  return project(y);
}

torch::Tensor LabelEmbedding::project(const torch::Tensor& y) const {
  const auto h = first_(y.to(compute_type(first_->weight)));
  return second_ ? second_(at::silu(h)) : h;
}

}  // namespace ldm
