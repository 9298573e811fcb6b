#include "ldm/image/levels.h"

#include <cmath>
#include <limits>

#include "tests/image/fixtures.h"

namespace ldm {
namespace {

TEST(Levels, RulesDiffer) {
  EXPECT_EQ(to_level(0.0f), 128);  // 127.5, half to even.
  EXPECT_EQ(to_level(0.0f, LevelRule::kNpz), 127);
  EXPECT_EQ(to_level(0.0f, LevelRule::kPng), 127);
  EXPECT_EQ(to_level(0.0f, LevelRule::kTxt2img), 127);
  for (const auto rule : {LevelRule::kRounded, LevelRule::kNpz, LevelRule::kPng, LevelRule::kTxt2img}) {
    EXPECT_EQ(to_level(-3.0f, rule), 0);
    EXPECT_EQ(to_level(3.0f, rule), 255);
    EXPECT_EQ(to_level(std::numeric_limits<float>::quiet_NaN(), rule), 0);
    EXPECT_EQ(to_level(std::numeric_limits<float>::infinity(), rule), 255);
  }
}

TEST(Levels, PlanesRoundTrip) {
  const Image image = test::pattern();
  const auto planes = to_planes(image);
  ASSERT_EQ(planes.size(), 24u * 16 * 3);
  EXPECT_FLOAT_EQ(planes[1], 10 / 127.5f - 1);             // Red of (1, 0).
  EXPECT_FLOAT_EQ(planes[24 * 16 + 24], 15 / 127.5f - 1);  // Green of (0, 1).
  EXPECT_EQ(from_planes(planes, 3, 16, 24), image);
}

TEST(Levels, RefusesAnotherNumberOfValues) {
  test::expect_error(ErrorKind::kUsage, "from_planes", [] { from_planes(std::vector<float>(5), 3, 1, 2); });
}

}  // namespace
}  // namespace ldm
