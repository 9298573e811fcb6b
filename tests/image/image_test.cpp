#include "ldm/image/image.h"

#include "tests/image/fixtures.h"

namespace ldm {
namespace {

using test::expect_error;

TEST(Image, MakesAFilledPicture) {
  const Image image = make_image(3, 2, 4, 7);
  EXPECT_EQ(image.pixels, std::vector<uint8_t>(24, 7));
  EXPECT_EQ(image.stride(), 12);
  EXPECT_EQ(image.row(1), image.pixels.data() + 12);
}

TEST(Image, RefusesBadShapes) {
  expect_error(ErrorKind::kUsage, "at least 1x1", [] { make_image(0, 2, 3); });
  expect_error(ErrorKind::kUsage, "1, 3 or 4 channels", [] { make_image(1, 2, 2); });
  expect_error(ErrorKind::kUsage, "too large", [] { make_image(INT64_MAX / 2, 4, 3); });
  expect_error(ErrorKind::kUsage, "bytes of pixels", [] { to_rgb({2, 2, 3, {1, 2, 3}}); });
}

TEST(Image, ComposesOverTheBackground) {
  const Image rgba{2, 1, 4, {200, 100, 0, 255, 200, 100, 0, 0}};
  EXPECT_EQ(to_rgb(rgba, {1, 2, 3}).pixels, (std::vector<uint8_t>{200, 100, 0, 1, 2, 3}));
  const Image half{1, 1, 4, {200, 100, 0, 128}};
  EXPECT_EQ(to_rgb(half).pixels, (std::vector<uint8_t>{227, 177, 127}));
  EXPECT_EQ(drop_alpha(half).pixels, (std::vector<uint8_t>{200, 100, 0}));
}

TEST(Image, ConvertsGrey) {
  EXPECT_EQ(to_rgb({1, 1, 1, {9}}).pixels, (std::vector<uint8_t>{9, 9, 9}));
  EXPECT_EQ(to_grey({1, 1, 3, {70, 75, 35}}).pixels, (std::vector<uint8_t>{69}));  // Pillow's convert("L").
}

TEST(Image, CropsTheCentre) {
  const Image image = test::pattern();  // 24x16.
  EXPECT_EQ(centre_crop_square(image), crop(image, 4, 0, 16, 16));
  EXPECT_EQ(centre_crop(image, 21, 13), crop(image, 2, 2, 21, 13));  // 1.5 rounds to 2, 1.5 too.
  EXPECT_EQ(centre_crop(image, 23, 15), crop(image, 0, 0, 23, 15));  // 0.5 rounds to 0.
  EXPECT_EQ(crop(image, 3, 2, 1, 1).pixels, (std::vector<uint8_t>{30, 30, 6}));
}

TEST(Image, RefusesCropsOutside) {
  const Image image = test::pattern();
  expect_error(ErrorKind::kUsage, "does not lie inside", [&] { crop(image, 20, 0, 5, 5); });
  expect_error(ErrorKind::kUsage, "does not lie inside", [&] { crop(image, INT64_MAX, 0, 5, 5); });
  expect_error(ErrorKind::kUsage, "centre_crop", [&] { centre_crop(image, 25, 5); });
}

TEST(Image, FlipsTwiceToItself) {
  const Image image = test::pattern_rgba();
  EXPECT_NE(flip_horizontal(image), image);
  EXPECT_EQ(flip_horizontal(flip_horizontal(image)), image);
  EXPECT_EQ(flip_horizontal({2, 1, 1, {1, 2}}).pixels, (std::vector<uint8_t>{2, 1}));
}

}  // namespace
}  // namespace ldm
