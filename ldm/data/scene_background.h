#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "ldm/core/random.h"
#include "ldm/data/scene.h"

namespace ldm {

// A place without things: its colours and which region each pixel belongs to.
struct SceneBackground {
  Image picture;                 // RGB
  Image regions;                 // Grey: index of scene_regions().
  std::vector<int64_t> borders;  // The row, on average, where each band begins; the first is 0.
};

SceneBackground paint_background(const ScenePlace& place, int64_t side, Random& random);

}  // namespace ldm
