#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "ldm/model/conditioner.h"

namespace ldm {

// Two numbers of the picture's frame as a vector: a sinusoidal embedding of each, one behind the other (SDXL,
// Podell et al. 2023, Sec. 2.2; the original's ConcatTimestepEmbedderND). y [N, 2 width]. No weights.
class SizeConditioner : public Conditioner {
 public:
  // field: original_size_as_tuple, crop_coords_top_left or target_size_as_tuple. Throws kUsage for another,
  // or a width below 2.
  SizeConditioner(std::string_view field, int64_t width);
  Conditioning encode(std::span<const Condition> conditions) const override;
  bool has_null() const override { return false; }

 private:
  std::array<double, 2> PictureFrame::*field_;
  int64_t width_;
};

}  // namespace ldm
