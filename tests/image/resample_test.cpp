#include "ldm/image/resample.h"

#include "tests/image/fixtures.h"

namespace ldm {
namespace {

using Pixels = std::vector<uint8_t>;

// 7x5, value 37 x + 91 y + 50 c mod 256.
Image source(int64_t channels) {
  Image image = make_image(7, 5, channels);
  for (int64_t y = 0; y < 5; ++y) {
    for (int64_t i = 0; i < 7 * channels; ++i) {
      image.row(y)[i] = static_cast<uint8_t>(37 * (i / channels) + 91 * y + 50 * (i % channels));
    }
  }
  return image;
}

// Computed with Pillow 13.0.0.
struct Known {
  const char* filter;
  Pixels to_3x4, to_9x2;
};
const Known kKnown[] = {
    {"nearest",
     {37, 111, 185, 128, 202, 20, 54, 128, 202, 145, 219, 37},
     {91, 128, 128, 165, 202, 239, 20, 20, 57, 17, 54, 54, 91, 128, 165, 202, 202, 239}},
    {"box",
     {19, 111, 204, 156, 120, 85, 36, 128, 221, 127, 134, 56},
     {91, 128, 128, 80, 117, 154, 105, 105, 142, 63, 100, 100, 137, 174, 83, 120, 120, 157}},
    {"bilinear",
     {55, 130, 163, 138, 131, 95, 95, 96, 169, 117, 140, 83},
     {79, 104, 107, 103, 132, 161, 131, 113, 138, 87, 112, 115, 111, 140, 105, 109, 133, 158}},
    {"hamming",
     {37, 119, 182, 138, 146, 81, 89, 99, 181, 127, 153, 61},
     {75, 106, 109, 107, 142, 177, 126, 100, 131, 77, 108, 111, 109, 144, 96, 115, 134, 165}},
    {"bicubic",
     {42, 136, 170, 146, 135, 84, 89, 85, 185, 119, 146, 76},
     {77, 106, 106, 95, 128, 171, 134, 111, 143, 89, 118, 118, 109, 140, 97, 100, 132, 157}},
    {"lanczos",
     {34, 145, 173, 153, 135, 75, 86, 74, 196, 117, 153, 74},
     {75, 106, 105, 87, 124, 176, 138, 112, 149, 92, 123, 120, 110, 141, 97, 90, 132, 153}}};

TEST(Resample, EqualsPillow) {
  for (const auto& known : kKnown) {
    const Filter filter = parse_filter(known.filter);
    EXPECT_EQ(resize(source(1), 3, 4, filter).pixels, known.to_3x4) << known.filter;
    EXPECT_EQ(resize(source(1), 9, 2, filter).pixels, known.to_9x2) << known.filter;  // Vertical pass first.
  }
}

TEST(Resample, PremultipliesAlphaAsPillow) {
  EXPECT_EQ(resize(source(4), 3, 2, Filter::kBicubic).pixels,
            (Pixels{74, 105, 136, 140, 112, 128, 121, 107, 114, 98,  120, 114,
                    85, 108, 132, 117, 93,  107, 122, 123, 107, 115, 123, 126}));
}

TEST(Resample, FloatsEqualPillow) {
  const Image image = source(1);
  std::vector<float> plane;
  for (const uint8_t v : image.pixels) plane.push_back(static_cast<float>(v / 255.0));
  const float expected[] = {0.35447976f, 0.50302893f, 0.5456168f, 0.44925714f, 0.4490836f, 0.48088852f};
  const auto out = resize_plane(plane, 7, 5, 3, 2, Filter::kLanczos);
  ASSERT_EQ(out.size(), 6u);
  for (size_t i = 0; i < 6; ++i) EXPECT_NEAR(out[i], expected[i], 1e-6f);
}

TEST(Resample, ChannelsAreIndependent) {
  const Image rgb = resize(source(3), 4, 9, Filter::kLanczos),
              grey = resize(source(1), 4, 9, Filter::kLanczos);
  for (size_t i = 0; i < grey.pixels.size(); ++i) EXPECT_EQ(rgb.pixels[3 * i], grey.pixels[i]);
}

TEST(Resample, KeepsConstantsAndSizes) {
  for (const auto& known : kKnown) {
    const Filter filter = parse_filter(known.filter);
    EXPECT_EQ(resize(make_image(31, 17, 3, 201), 5, 64, filter), make_image(5, 64, 3, 201)) << known.filter;
    EXPECT_EQ(resize(source(3), 7, 5, filter), source(3));
  }
}

TEST(Resample, RefusesWrongInput) {
  test::expect_error(ErrorKind::kUsage, "got 'cubic'", [] { parse_filter("cubic"); });
  test::expect_error(ErrorKind::kUsage, "expected sizes", [] { resize(source(3), 0, 4, Filter::kBox); });
  test::expect_error(ErrorKind::kUsage, "expected sizes",
                     [] { resize(source(3), 4, 1 << 20, Filter::kBox); });
  const std::vector<float> plane(6);
  test::expect_error(ErrorKind::kUsage, "resize_plane",
                     [&] { resize_plane(plane, 2, 2, 1, 1, Filter::kBox); });
}

}  // namespace
}  // namespace ldm
