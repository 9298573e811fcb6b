#include "ldm/model/tiles.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "ldm/core/error.h"

namespace ldm {
namespace {

TileOptions tiles_of(int64_t size, int64_t stride) { return {size, size, stride, stride}; }

TEST(Tiles, SharesSumToOneForEverySize) {
  for (const int64_t height : {1, 7, 8, 9, 13, 24, 31}) {
    for (const int64_t width : {5, 8, 17, 29}) {
      const torch::Tensor sum = tile_shares(height, width, tiles_of(8, 5)).sum(0);
      EXPECT_LT((sum - 1).abs().max().item<float>(), 1e-6F) << height << "x" << width;
    }
  }
}

TEST(Tiles, AreOneSizeAndReachTheEnd) {
  const auto tiles = plan_tiles(20, 8, tiles_of(8, 6));
  ASSERT_EQ(tiles.size(), 3U);
  EXPECT_EQ(tiles[0], (Tile{0, 0, 8, 8, false, true, false, false}));
  EXPECT_EQ(tiles[1], (Tile{6, 0, 8, 8, true, true, false, false}));
  EXPECT_EQ(tiles[2], (Tile{12, 0, 8, 8, true, false, false, false}));
}

TEST(Tiles, WeighByDistanceToInnerBorders) {
  const torch::Tensor weight = tile_weight({0, 0, 5, 5, false, false, true, true}, TileOptions{});
  EXPECT_FLOAT_EQ(weight[0][0].item<float>(), 0.01F);
  EXPECT_FLOAT_EQ(weight[0][1].item<float>(), 0.25F);
  EXPECT_FLOAT_EQ(weight[4][2].item<float>(), 0.5F);
}

// A function of each pixel alone must not notice the tiles; one of the place shows that tiles know theirs.
TEST(Tiles, LeavePointwiseFunctionsAlone) {
  const torch::Tensor x = at::rand({2, 3, 21, 34});
  const auto out =
      run_tiled(x, tiles_of(8, 4), {}, [](const torch::Tensor& crop, const Tile&) { return crop * 2; });
  EXPECT_LT((out - 2 * x).abs().max().item<float>(), 1e-5F);
  const torch::Tensor rows = at::arange(21, at::kFloat).view({1, 1, 21, 1}).expand({1, 1, 21, 34});
  const auto placed =
      run_tiled(at::zeros({1, 1, 21, 34}), tiles_of(8, 4), {}, [](const torch::Tensor& crop, const Tile& t) {
        return crop + at::arange(t.y, t.y + t.height, at::kFloat).view({1, 1, -1, 1});
      });
  EXPECT_LT((placed - rows).abs().max().item<float>(), 1e-4F);
}

TEST(Tiles, ScaleBothWays) {
  const torch::Tensor x = at::rand({1, 1, 24, 40});
  const auto grown = run_tiled(x, tiles_of(16, 8), {2, 1}, [](const torch::Tensor& crop, const Tile&) {
    return at::upsample_nearest2d(crop, {crop.size(2) * 2, crop.size(3) * 2});
  });
  EXPECT_LT((grown - at::upsample_nearest2d(x, {48, 80})).abs().max().item<float>(), 1e-5F);
  const auto shrunk = run_tiled(x, tiles_of(16, 8), {1, 4}, [](const torch::Tensor& crop, const Tile&) {
    return at::avg_pool2d(crop, {4, 4});
  });
  EXPECT_LT((shrunk - at::avg_pool2d(x, {4, 4})).abs().max().item<float>(), 1e-5F);
}

TEST(Tiles, Refuse) {
  EXPECT_THROW(plan_tiles(0, 4, tiles_of(8, 4)), Error);
  EXPECT_THROW(plan_tiles(9, 9, tiles_of(8, 9)), Error);
  EXPECT_THROW(plan_tiles(16, 16, {8, 8, 4, 4, 0.0, 0.5}), Error);
  EXPECT_THROW(plan_tiles(18, 16, tiles_of(8, 4), {1, 4}), Error);
  const auto wrong = [](const torch::Tensor& crop, const Tile&) { return crop.narrow(2, 0, 4); };
  EXPECT_THROW(run_tiled(at::zeros({1, 1, 16, 16}), tiles_of(8, 4), {}, wrong), Error);
  const StopToken stop;
  stop.request();
  const auto same = [](const torch::Tensor& crop, const Tile&) { return crop; };
  EXPECT_THROW(run_tiled(at::zeros({1, 1, 16, 16}), tiles_of(8, 4), {}, same, stop), Error);
}

}  // namespace
}  // namespace ldm
