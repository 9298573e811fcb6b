#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "ldm/core/stop.h"

namespace ldm {

// Large inputs by overlapping crops (Rombach et al. 2022, section 3.7 of the released code:
// "split_input_params"), for a UNet as well as for both halves of a first stage. Lengths are pixels of the
// input.
struct TileOptions {
  int64_t height = 128, width = 128;  // Of one crop; a smaller input is one crop.
  int64_t stride_y = 64, stride_x = 64;
  double min_weight = 0.01, max_weight = 0.5;  // The clip of the border distance.

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("tile_height", height, "height of a crop");
    visit("tile_width", width, "width of a crop");
    visit("stride_y", stride_y, "rows from one crop to the next; less than its height, so that they overlap");
    visit("stride_x", stride_x, "columns from one crop to the next");
    visit("clip_min_weight", min_weight, "weight of a crop at its inner borders");
    visit("clip_max_weight", max_weight, "largest weight of a crop; 0.5 is its middle");
  }
};

// The output's size relative to the input's: {8, 1} decodes, {1, 8} encodes, {1, 1} denoises.
struct TileScale {
  int64_t up = 1, down = 1;
};

// One crop.
struct Tile {
  int64_t y = 0, x = 0, height = 0, width = 0;
  // Whether another crop goes on beyond this border.
  bool above = false, below = false, left = false, right = false;
  bool operator==(const Tile&) const = default;
};

// The crops that cover height x width, row by row: one every stride, the last row and column moved back so
// that it ends with the input. All have the same size, and every pixel is in one at least. Throws kUsage for
// sizes below 1, strides larger than the crop, weights out of 0 < min <= max, and lengths that are no
// multiples of scale.down.
std::vector<Tile> plan_tiles(int64_t height, int64_t width, const TileOptions& options,
                             const TileScale& scale = {});

// [height, width] of the tile's output, float32: the distance to the nearest border that another crop lies
// beyond, relative to the tile (0 at the border, 0.5 in the middle), clipped to min..max. Unlike in the
// released code the input's own borders do not count: there is nothing to blend with, and weights that vanish
// along them make seams.
torch::Tensor tile_weight(const Tile& tile, const TileOptions& options, const TileScale& scale = {});

// [count of tiles, H, W]: each tile's share of each pixel of the output, zero outside it; they sum to 1
// everywhere.
torch::Tensor tile_shares(int64_t height, int64_t width, const TileOptions& options,
                          const TileScale& scale = {});

// What is done to one crop: [N, C, h, w] -> [N, C', h up / down, w up / down]. The tile tells what else must
// be cut.
using TileFn = std::function<torch::Tensor(const torch::Tensor& crop, const Tile& tile)>;

// run on every crop of x [N, C, H, W], blended by tile_shares: [N, C', H up / down, W up / down] in the type
// of the results, summed in float32. An input of one crop is handed on as it is. Memory beside the crop's
// own: the output in float32. Throws kUsage as plan_tiles does and for results of another size; Stopped on a
// stop.
torch::Tensor run_tiled(const torch::Tensor& x, const TileOptions& options, const TileScale& scale,
                        const TileFn& run, const StopToken& stop = {});

}  // namespace ldm
