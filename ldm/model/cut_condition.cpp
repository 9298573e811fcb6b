#include "ldm/model/cut_condition.h"

#include <memory>

#include "ldm/core/error.h"
#include "ldm/model/control.h"

namespace ldm {
namespace {

constexpr int64_t kHintPixels = 8;  // Of a ControlNet's picture for one latent.

torch::Tensor cut_map(const torch::Tensor& map, const Tile& tile, int64_t scale) {
  const int64_t bottom = (tile.y + tile.height) * scale, right = (tile.x + tile.width) * scale;
  check(bottom <= map.size(2) && right <= map.size(3), "cut_condition: expected a map of at least ", right,
        "x", bottom, ", got ", map.size(3), "x", map.size(2));
  return map.slice(2, tile.y * scale, bottom).slice(3, tile.x * scale, right);
}

}  // namespace

Conditioning cut_condition(const Conditioning& whole, const Tile& tile) {
  Conditioning out = whole;
  if (whole.concat.defined()) out.concat = cut_map(whole.concat, tile, 1);
  for (auto& control : out.controls) {
    control = std::make_shared<Control>(Control{.network = control->network,
                                                .hint = cut_map(control->hint, tile, kHintPixels),
                                                .strength = control->strength});
  }
  return out;
}

}  // namespace ldm
