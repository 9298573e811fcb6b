#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "ldm/diffusion/editing.h"
#include "ldm/image/image.h"

namespace ldm {

// A picture to begin with, and what of it is to be drawn anew.
struct EditRequest {
  Image picture;  // Of any size, fitted to the canvas; empty: there is none.
  // White is drawn anew, black is kept to the byte, grey blends. Of the picture's proportions; transparent
  // parts of the mask count as black. Empty: what is transparent in the picture is drawn anew, and where
  // nothing is, all of it.
  Image mask;
  int64_t feather = 0;                // Pixels over which the mask fades out beyond its edge.
  std::array<int64_t, 4> outpaint{};  // Pixels to draw beyond the left, top, right and bottom edge.
  // How far from the picture the result may go: 0 (it comes back as the first stage sees it) to 1. Empty:
  // 0.75, and 1 where there is a mask.
  std::optional<double> strength;
  StrengthRule rule = StrengthRule::kDiffusers;
};

}  // namespace ldm
