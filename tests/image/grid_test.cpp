#include "ldm/image/grid.h"

#include "tests/image/fixtures.h"

namespace ldm {
namespace {

TEST(Grid, PlacesRowByRow) {
  const std::vector<Image> images{make_image(2, 1, 3, 10), make_image(2, 1, 1, 20), make_image(2, 1, 3, 30)};
  const Image grid = make_grid(images, 2, 1, {1, 1, 1});
  EXPECT_EQ(grid.width, 7);
  EXPECT_EQ(grid.height, 5);
  const auto at = [&](int64_t x, int64_t y) { return grid.row(y)[3 * x]; };
  EXPECT_EQ(at(0, 0), 1);
  EXPECT_EQ(at(1, 1), 10);
  EXPECT_EQ(at(3, 1), 1);
  EXPECT_EQ(at(4, 1), 20);
  EXPECT_EQ(at(1, 3), 30);
  EXPECT_EQ(at(4, 3), 1);  // An empty place.
}

TEST(Grid, ChoosesColumns) {
  const std::vector<Image> five(5, make_image(4, 4, 3));
  EXPECT_EQ(make_grid(five, 0, 0).width, 12);
  EXPECT_EQ(make_grid(five, 0, 0).height, 8);
  EXPECT_EQ(make_grid(five, 99, 0).width, 20);
}

TEST(Grid, RefusesWhatDoesNotFit) {
  test::expect_error(ErrorKind::kUsage, "at least one", [] { make_grid({}); });
  const std::vector<Image> mixed{make_image(2, 2, 3), make_image(3, 2, 3)};
  test::expect_error(ErrorKind::kUsage, "one size", [&] { make_grid(mixed); });
  test::expect_error(ErrorKind::kUsage, "padding", [&] { make_grid(mixed, 1, -1); });
}

}  // namespace
}  // namespace ldm
