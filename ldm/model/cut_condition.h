#pragma once

#include "ldm/model/conditioner.h"
#include "ldm/model/tiles.h"

namespace ldm {

// What a crop of the latents is conditioned on: its part of the map that is appended and of the pictures that
// ControlNets follow; words and classes hold for all crops. Throws kUsage for a tile beyond the map.
Conditioning cut_condition(const Conditioning& whole, const Tile& tile);

}  // namespace ldm
