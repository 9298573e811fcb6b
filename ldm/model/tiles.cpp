#include "ldm/model/tiles.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "ldm/core/error.h"
#include "ldm/core/stopped.h"

namespace ldm {
namespace {

// Where the crops of one axis begin.
std::vector<int64_t> tile_starts(int64_t size, int64_t tile, int64_t stride) {
  std::vector<int64_t> starts{0};
  while (starts.back() + tile < size) starts.push_back(std::min(starts.back() + stride, size - tile));
  return starts;
}

void check_tiles(int64_t height, int64_t width, const TileOptions& o, const TileScale& scale) {
  check(height >= 1 && width >= 1 && o.height >= 1 && o.width >= 1, "plan_tiles: expected sizes >= 1, got ",
        width, "x", height, " in crops of ", o.width, "x", o.height);
  check(o.stride_y >= 1 && o.stride_y <= o.height && o.stride_x >= 1 && o.stride_x <= o.width,
        "plan_tiles: expected strides of 1 to the crop's size, got ", o.stride_x, "x", o.stride_y, " for ",
        o.width, "x", o.height);
  check(o.min_weight > 0 && o.min_weight <= o.max_weight,
        "plan_tiles: expected 0 < min_weight <= max_weight, got ", o.min_weight, " and ", o.max_weight);
  check(scale.up >= 1 && scale.down >= 1, "plan_tiles: expected a scale of at least 1, got ", scale.up, "/",
        scale.down);
  for (const int64_t length : {height, width, o.height, o.width, o.stride_y, o.stride_x}) {
    check(length % scale.down == 0, "plan_tiles: expected multiples of ", scale.down, ", got ", length,
          "; hint: pad the input");
  }
}

// Distances along one axis, 0..0.5 between borders that count; 0.5 where neither does.
torch::Tensor border_distance(int64_t size, bool before, bool after) {
  torch::Tensor out = at::full({size}, 0.5, at::kFloat);
  const auto steps = static_cast<double>(std::max<int64_t>(size - 1, 1));
  const torch::Tensor position = at::arange(size, at::kFloat) / steps;
  if (before) out = at::minimum(out, position);
  if (after) out = at::minimum(out, 1 - position);
  return out;
}

int64_t scaled(int64_t length, const TileScale& scale) { return length * scale.up / scale.down; }

// The part of an output [..., H, W] that belongs to a tile.
torch::Tensor tile_of(const torch::Tensor& whole, const Tile& tile, const TileScale& scale) {
  return whole.narrow(-2, scaled(tile.y, scale), scaled(tile.height, scale))
      .narrow(-1, scaled(tile.x, scale), scaled(tile.width, scale));
}

// The sum of all weights at each pixel of the output.
torch::Tensor weight_sum(int64_t height, int64_t width, const std::vector<Tile>& tiles,
                         const TileOptions& options, const TileScale& scale) {
  torch::Tensor sum = at::zeros({scaled(height, scale), scaled(width, scale)}, at::kFloat);
  for (const Tile& tile : tiles) tile_of(sum, tile, scale).add_(tile_weight(tile, options, scale));
  return sum;
}

}  // namespace

std::vector<Tile> plan_tiles(int64_t height, int64_t width, const TileOptions& options,
                             const TileScale& scale) {
  check_tiles(height, width, options, scale);
  const int64_t tile_height = std::min(options.height, height), tile_width = std::min(options.width, width);
  std::vector<Tile> tiles;
  for (const int64_t y : tile_starts(height, tile_height, options.stride_y)) {
    for (const int64_t x : tile_starts(width, tile_width, options.stride_x)) {
      tiles.push_back(
          {y, x, tile_height, tile_width, y > 0, y + tile_height<height, x> 0, x + tile_width < width});
    }
  }
  return tiles;
}

torch::Tensor tile_weight(const Tile& tile, const TileOptions& options, const TileScale& scale) {
  const torch::Tensor y = border_distance(scaled(tile.height, scale), tile.above, tile.below);
  const torch::Tensor x = border_distance(scaled(tile.width, scale), tile.left, tile.right);
  return at::minimum(y.unsqueeze(1), x.unsqueeze(0)).clamp(options.min_weight, options.max_weight);
}

torch::Tensor tile_shares(int64_t height, int64_t width, const TileOptions& options, const TileScale& scale) {
  const auto tiles = plan_tiles(height, width, options, scale);
  const torch::Tensor sum = weight_sum(height, width, tiles, options, scale);
  torch::Tensor shares =
      at::zeros({static_cast<int64_t>(tiles.size()), sum.size(0), sum.size(1)}, at::kFloat);
  for (size_t i = 0; i < tiles.size(); ++i) {
    torch::Tensor own = tile_of(shares[static_cast<int64_t>(i)], tiles[i], scale);
    own.copy_(tile_weight(tiles[i], options, scale) / tile_of(sum, tiles[i], scale));
  }
  return shares;
}

torch::Tensor run_tiled(const torch::Tensor& x, const TileOptions& options, const TileScale& scale,
                        const TileFn& run, const StopToken& stop) {
  check(x.dim() == 4, "run_tiled: expected [N, C, H, W], got ", x.sizes());
  const auto tiles = plan_tiles(x.size(2), x.size(3), options, scale);
  if (tiles.size() == 1) return run(x, tiles[0]);
  const torch::Tensor sum = weight_sum(x.size(2), x.size(3), tiles, options, scale);
  torch::Tensor out;
  at::ScalarType type = x.scalar_type();
  for (const Tile& tile : tiles) {
    check_stop(stop, "run_tiled: stopped");
    const torch::Tensor part = run(tile_of(x, tile, {}).contiguous(), tile);
    check(part.dim() == 4 && part.size(0) == x.size(0) && part.size(2) == scaled(tile.height, scale) &&
              part.size(3) == scaled(tile.width, scale),
          "run_tiled: expected crops of ", scaled(tile.width, scale), "x", scaled(tile.height, scale),
          ", got ", part.sizes());
    if (!out.defined()) {
      type = part.scalar_type();
      out = at::zeros({x.size(0), part.size(1), sum.size(0), sum.size(1)}, part.options().dtype(at::kFloat));
    }
    const torch::Tensor share = tile_weight(tile, options, scale) / tile_of(sum, tile, scale);
    tile_of(out, tile, scale).add_(part.to(at::kFloat) * share.to(part.device()));
  }
  return out.to(type);
}

}  // namespace ldm
