// to_images() and to_tensor().
#include "ldm/pipeline/pictures.h"

#include <ATen/ATen.h>

#include <numeric>

#include "tests/model/tiny_model.h"

namespace ldm {
namespace {

TEST(Pictures, EveryByteComesBack) {
  auto image = make_image(16, 16, 3);
  std::iota(image.pixels.begin(), image.pixels.end(), uint8_t{0});
  const auto tensor = to_tensor(std::vector<Image>{image});
  EXPECT_EQ(tensor.sizes(), (std::vector<int64_t>{1, 3, 16, 16}));
  EXPECT_EQ(tensor.min().item<float>(), -1.0f);
  EXPECT_NEAR(tensor.max().item<float>(), 1.0f, 1e-6);
  EXPECT_EQ(to_images(tensor).front().pixels, image.pixels);
}

TEST(Pictures, ChannelsAndRowsKeepTheirPlace) {
  auto image = make_image(3, 2, 3);
  image.pixels[(1 * 3 + 2) * 3 + 1] = 255;  // Green at x = 2, y = 1.
  const auto tensor = to_tensor(std::vector<Image>{image});
  EXPECT_EQ(tensor[0][1][1][2].item<float>(), 1.0f);
  EXPECT_EQ((tensor > 0).sum().item<int64_t>(), 1);
}

TEST(Pictures, RoundsToNearestAndClamps) {
  const auto byte = [](double value) {
    return int{to_images(at::full({1, 3, 1, 1}, value)).front().pixels[0]};
  };
  EXPECT_EQ(byte(-1.0), 0);
  EXPECT_EQ(byte(1.0), 255);
  EXPECT_EQ(byte(-7.0), 0);
  EXPECT_EQ(byte(7.0), 255);
  EXPECT_EQ(byte(10.4 / 127.5 - 1), 10);
  EXPECT_EQ(byte(10.6 / 127.5 - 1), 11);
}

TEST(Pictures, RefusesOtherShapes) {
  EXPECT_TRUE(has(thrown(ErrorKind::kUsage, [] { to_images(at::zeros({1, 4, 2, 2})); }), "[N, 3, H, W]"));
  EXPECT_TRUE(has(thrown(ErrorKind::kUsage, [] { to_tensor({}); }), "at least one"));
  const std::vector<Image> two{make_image(2, 2, 3), make_image(2, 3, 3)};
  EXPECT_TRUE(has(thrown(ErrorKind::kUsage, [&] { to_tensor(two); }), "of one size"));
}

}  // namespace
}  // namespace ldm
