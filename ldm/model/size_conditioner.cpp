#include "ldm/model/size_conditioner.h"

#include <ATen/ATen.h>

#include <vector>

#include "ldm/core/error.h"
#include "ldm/nn/timestep_embedding.h"

namespace ldm {
namespace {

std::array<double, 2> PictureFrame::*frame_field(std::string_view name) {
  if (name == "original_size_as_tuple") return &PictureFrame::original_size;
  if (name == "crop_coords_top_left") return &PictureFrame::crop_top_left;
  if (name == "target_size_as_tuple") return &PictureFrame::target_size;
  fail(ErrorKind::kUsage,
       "size_embedder: expected the input_key original_size_as_tuple, crop_coords_top_left or "
       "target_size_as_tuple, got '",
       name, "'");
}

}  // namespace

SizeConditioner::SizeConditioner(std::string_view field, int64_t width)
    : field_(frame_field(field)), width_(width) {
  check(width >= 2 && width <= 1 << 16, "size_embedder: expected an outdim of 2 to 65536, got ", width);
}

Conditioning SizeConditioner::encode(std::span<const Condition> conditions) const {
  std::vector<double> numbers;
  for (const auto& condition : conditions) {
    for (const double number : condition.frame.*field_) numbers.push_back(number);
  }
  const auto embedded = timestep_embedding(at::tensor(numbers), width_);  // [2 N, width]
  return {.y = embedded.reshape({static_cast<int64_t>(conditions.size()), 2 * width_})};
}

}  // namespace ldm
