#include "ldm/image/resize_cv.h"

#include <cstdlib>

#include "ldm/image/jpeg.h"
#include "tests/image/fixtures.h"

namespace ldm {
namespace {

using Levels = std::vector<uint8_t>;

Image grey_row(const Levels& values) { return {static_cast<int64_t>(values.size()), 1, 1, values}; }

TEST(ResizeCv, AveragesExactlyWhereBothSidesShrink) {
  EXPECT_EQ(resize_cv({4, 2, 1, {0, 10, 20, 30, 2, 12, 22, 33}}, 2, 1, CvFilter::kArea).pixels,
            (Levels{6, 26}));
  // A half goes up for 2x2, to even for other whole areas.
  EXPECT_EQ(resize_cv({2, 2, 1, {0, 0, 1, 1}}, 1, 1, CvFilter::kArea).pixels, (Levels{1}));
  EXPECT_EQ(resize_cv({4, 1, 1, {0, 0, 1, 1}}, 1, 1, CvFilter::kArea).pixels, (Levels{0}));
  // 3 to 2: each output takes one and a half pixels.
  EXPECT_EQ(resize_cv(grey_row({0, 30, 90}), 2, 1, CvFilter::kArea).pixels, (Levels{10, 70}));
}

TEST(ResizeCv, InterpolatesWithoutAntialiasing) {
  EXPECT_EQ(resize_cv(grey_row({0, 100}), 4, 1, CvFilter::kLinear).pixels, (Levels{0, 25, 75, 100}));
  EXPECT_EQ(resize_cv(grey_row({0, 0, 255, 0, 0, 0}), 2, 1, CvFilter::kLinear).pixels, (Levels{0, 0}));
  EXPECT_EQ(resize_cv(grey_row({1, 2, 3, 4}), 2, 1, CvFilter::kNearest).pixels, (Levels{1, 3}));
  // The cubic at 1/2 with a = -0.75: -3/32, 19/32, 19/32, -3/32.
  const auto half = resize_cv(std::vector<float>{0, 32, 0, 0}, 4, 1, 1, 2, 1, CvFilter::kCubic);
  EXPECT_FLOAT_EQ(half[0], 19.0F);
  EXPECT_FLOAT_EQ(half[1], -3.0F);
}

TEST(ResizeCv, KeepsConstantsAndSizes) {
  for (const char* name : {"nearest", "linear", "cubic", "area", "lanczos4"}) {
    const Image out = resize_cv(make_image(7, 5, 3, 77), 9, 3, parse_cv_filter(name));
    EXPECT_EQ(out, make_image(9, 3, 3, 77)) << name;
  }
}

TEST(ResizeCv, Refuses) {
  EXPECT_THROW(parse_cv_filter("box"), Error);
  EXPECT_THROW(resize_cv(make_image(2, 2, 1), 0, 1, CvFilter::kArea), Error);
  EXPECT_THROW(resize_cv(std::vector<float>(5), 2, 2, 1, 1, 1, CvFilter::kArea), Error);
}

TEST(Jpeg, WritesWhatItReads) {
  Image image = make_image(40, 24, 3);
  for (size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = static_cast<uint8_t>(i / 12);
  const Image back = decode_jpeg(encode_jpeg(image, 95)).image;
  ASSERT_EQ(back.pixels.size(), image.pixels.size());
  int64_t off = 0;
  for (size_t i = 0; i < back.pixels.size(); ++i) off += std::abs(back.pixels[i] - image.pixels[i]);
  EXPECT_LT(off, 4 * static_cast<int64_t>(back.pixels.size()));
  EXPECT_LT(encode_jpeg(image, 20).size(), encode_jpeg(image, 95).size());
  EXPECT_THROW(encode_jpeg(make_image(2, 2, 4), 90), Error);
  EXPECT_THROW(encode_jpeg(image, 0), Error);
}

}  // namespace
}  // namespace ldm
