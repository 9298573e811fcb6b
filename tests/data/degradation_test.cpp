#include "ldm/data/degradation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <set>

#include "ldm/data/blur.h"
#include "ldm/data/colour_noise.h"
#include "ldm/data/preparation.h"
#include "tests/data/temp_folder.h"

namespace ldm {
namespace {

Image grey_ramp(int64_t width, int64_t height) {
  Image image = make_image(width, height, 3);
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t i = 0; i < 3 * width; ++i)
      image.row(y)[i] = static_cast<uint8_t>(255 * (i / 3) / (width - 1));
  }
  return image;
}

double mean_of(const Image& image) {
  return std::accumulate(image.pixels.begin(), image.pixels.end(), 0.0) /
         static_cast<double>(image.pixels.size());
}

TEST(Preparation, RoundsSidesHalfToEven) {
  const Image out = resize_smallest_side(make_image(5, 2, 3), 1, CvFilter::kArea);
  EXPECT_EQ(out.width, 2);  // 2.5
  EXPECT_EQ(out.height, 1);
  EXPECT_EQ(resize_to_multiple(make_image(70, 33, 3), 32).width, 64);
  EXPECT_THROW(resize_to_multiple(make_image(31, 64, 3), 32), Error);
}

TEST(Preparation, CropsAreSquaresInside) {
  Random random(3);
  std::set<int64_t> sides;
  for (int i = 0; i < 200; ++i) {
    const SquareCrop crop = draw_square_crop(50, 40, {0.5, 1.0, true}, random);
    EXPECT_GE(crop.side, 20);
    EXPECT_LE(crop.side, 40);
    EXPECT_LE(crop.x + crop.side, 50);
    EXPECT_LE(crop.y + crop.side, 40);
    sides.insert(crop.side);
  }
  EXPECT_GT(sides.size(), 15U);
  EXPECT_EQ(draw_square_crop(50, 40, {1.0, 1.0, false}, random), (SquareCrop{5, 0, 40}));
  EXPECT_THROW(check_crop_options({0.9, 0.5, true}), Error);
}

TEST(Blur, KernelsHaveTheirVariances) {
  const BlurKernel kernel = anisotropic_kernel(25, 0.5, 4.0, 1.0);
  double along = 0, across = 0;
  for (int64_t i = 0; i < 625; ++i) {
    const double x = static_cast<double>(i % 25 - 12), y = static_cast<double>(i / 25 - 12);
    const double u = std::cos(0.5) * x + std::sin(0.5) * y, v = std::cos(0.5) * y - std::sin(0.5) * x;
    along += kernel.weights[static_cast<size_t>(i)] * u * u;
    across += kernel.weights[static_cast<size_t>(i)] * v * v;
  }
  EXPECT_NEAR(along, 4.0, 1e-3);
  EXPECT_NEAR(across, 1.0, 1e-3);
  EXPECT_EQ(gaussian_kernel(6, 0.0).size, 1);  // No weight at all: the kernel that changes nothing.
}

TEST(Blur, ShiftedKernelKeepsDecimatedRampsInPlace) {
  // On a linear ramp the blurred pixel 4 i must show the value at 4 i + 1.5, the middle of its four.
  const FloatImage ramp = to_floats(grey_ramp(64, 64));
  const FloatImage out = blur(ramp, shift_kernel(gaussian_kernel(25, 1.0), 4));
  const double step = static_cast<double>(ramp.pixels[3 * 41] - ramp.pixels[3 * 33]) / 8;
  const double got = static_cast<double>(out.pixels[3 * (32 * 64 + 32)] - ramp.pixels[3 * 32]) / step;
  EXPECT_NEAR(got, 1.5, 0.2);
}

TEST(ColourNoise, EigenvectorsRebuildTheMatrix) {
  const Matrix3 a{{{4, 1, -2}, {1, 2, 0}, {-2, 0, 3}}};
  const Eigen3 e = eigen_symmetric(a);
  for (size_t i = 0; i < 3; ++i) {
    for (size_t j = 0; j < 3; ++j) {
      double sum = 0;
      for (size_t k = 0; k < 3; ++k) sum += e.vectors[i][k] * e.values[k] * e.vectors[j][k];
      EXPECT_NEAR(sum, a[i][j], 1e-12);
    }
  }
}

TEST(Degradation, EveryKindQuartersAndKeepsTheMean) {
  const Image image = grey_ramp(64, 64);
  for (const std::string& name : degradation_names()) {
    const Image low = degrade(image, name, 4, Random(5, name));
    EXPECT_EQ(low.width, 16) << name;
    EXPECT_EQ(low.height, 16) << name;
    EXPECT_NEAR(mean_of(low), mean_of(image), 8) << name;
  }
}

TEST(Degradation, ChainsFollowTheirDraw) {
  const Image image = grey_ramp(64, 64);
  for (const char* name : {"bsrgan", "bsrgan_light"}) {
    EXPECT_EQ(degrade(image, name, 4, Random(1, "d", 2, 3)), degrade(image, name, 4, Random(1, "d", 2, 3)));
    EXPECT_NE(degrade(image, name, 4, Random(1, "d", 2, 3)), degrade(image, name, 4, Random(1, "d", 2, 4)));
  }
  EXPECT_TRUE(contains(error_of(ErrorKind::kUsage, [&] { degrade(image, "bsrgan_lite", 4, Random(0)); }),
                       "did you mean 'bsrgan_light'"));
  EXPECT_THROW(degrade(make_image(3, 3, 3), "cv_area", 4, Random(0)), Error);
}

}  // namespace
}  // namespace ldm
