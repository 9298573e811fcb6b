// Crops of the latents with what belongs to them.
#include "ldm/model/cut_condition.h"

#include <ATen/ATen.h>

#include "ldm/model/control.h"
#include "tests/model/tiny_model.h"

namespace ldm {
namespace {

TEST(CutCondition, CutsMapsAndHints) {
  Conditioning whole{.context = at::rand({1, 3, 8}), .concat = at::rand({1, 2, 6, 5})};
  whole.controls.push_back(
      std::make_shared<Control>(Control{.hint = at::rand({1, 3, 48, 40}), .strength = 0.5}));
  const Tile tile{.y = 2, .x = 1, .height = 4, .width = 3};
  const auto cut = cut_condition(whole, tile);
  EXPECT_TRUE(cut.context.is_same(whole.context));
  EXPECT_TRUE(at::equal(cut.concat, whole.concat.slice(2, 2, 6).slice(3, 1, 4)));
  EXPECT_TRUE(at::equal(cut.controls[0]->hint, whole.controls[0]->hint.slice(2, 16, 48).slice(3, 8, 32)));
  EXPECT_EQ(cut.controls[0]->strength, 0.5);
  EXPECT_TRUE(has(thrown(ErrorKind::kUsage, [&] { cut_condition(whole, {.y = 3, .height = 4, .width = 5}); }),
                  "at least 5x7, got 5x6"));
}

TEST(CutCondition, DenoisersInCropsAreBlendsOfThoseOfCrops) {
  const torch::NoGradGuard no_grad;
  const auto model = tiny_model("picture");
  at::manual_seed(4);
  const auto x = at::randn({1, 4, 8, 12}), map = at::randn({1, 4, 8, 12});
  const auto sigma = at::full({1}, 1.5, at::kDouble);
  const TileOptions tiles{.height = 8, .width = 8, .stride_y = 4, .stride_x = 4};
  const auto got = model->denoiser({.concat = map}, tiles)(x, sigma);
  const auto want = run_tiled(x, tiles, {}, [&](const torch::Tensor& crop, const Tile& tile) {
    return model->denoiser({.concat = map.slice(3, tile.x, tile.x + 8)})(crop, sigma);
  });
  EXPECT_LT((got - want).abs().max().item<double>(), 1e-5);
  EXPECT_GT((got - model->denoiser({.concat = map})(x, sigma)).abs().max().item<double>(), 1e-4);
}

}  // namespace
}  // namespace ldm
