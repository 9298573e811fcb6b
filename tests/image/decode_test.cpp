#include "ldm/image/decode.h"

#include "ldm/image/exif.h"
#include "ldm/image/png.h"
#include "ldm/image/webp.h"
#include "tests/image/fixtures.h"

namespace ldm {
namespace {

using test::difference;
using test::expect_error;
using test::fixture;
using test::pattern;
using test::smooth;

Image decoded(const std::string& name) { return decode_image(fixture(name)); }

TEST(Decode, PngOfEveryKind) {
  EXPECT_EQ(decoded("rgb.png"), pattern());
  EXPECT_EQ(decoded("rgb16.png"), pattern());
  EXPECT_EQ(decoded("interlaced.png"), pattern());
  EXPECT_EQ(decoded("rgba.png"), test::pattern_rgba());
  const Image grey = decoded("grey.png");
  EXPECT_EQ(grey.channels, 1);
  EXPECT_EQ(grey.row(3)[7], 70);
}

TEST(Decode, GreyWithAlphaBecomesRgba) {
  const Image image = decoded("grey_alpha.png");
  ASSERT_EQ(image.channels, 4);
  const uint8_t* p = image.row(2) + 4 * 5;
  EXPECT_EQ((std::vector<int>{p[0], p[1], p[2], p[3]}), (std::vector<int>{50, 50, 50, 42}));
}

// Colour i is (16 i, 255 - 16 i, i) with i = (x + y) mod 16; alpha of the first two is 0 and 128.
TEST(Decode, PaletteWithTransparency) {
  const Image image = decoded("palette4_trns.png");
  ASSERT_EQ(image.channels, 4);
  const uint8_t* p = image.row(0);
  EXPECT_EQ((std::vector<int>(p, p + 12)),
            (std::vector<int>{0, 255, 0, 0, 16, 239, 1, 128, 32, 223, 2, 255}));
}

TEST(Decode, AppliesOrientation) {
  EXPECT_EQ(decoded("exif6.png"), apply_orientation(pattern(), 6));
  EXPECT_LE(difference(decoded("smooth_progressive.jpg"), apply_orientation(smooth(), 8)), 8);
  EXPECT_LE(difference(decoded("smooth.webp"), apply_orientation(smooth(), 3)), 16);
}

TEST(Decode, Jpeg) {
  EXPECT_LE(difference(decoded("smooth_420.jpg"), smooth()), 16);
  const Image grey = decoded("grey.jpg");
  ASSERT_EQ(grey.channels, 1);
  EXPECT_NEAR(grey.row(8)[12], 120, 4);
}

// Values of Pillow's convert("RGB"), which truncates elsewhere: within 2.
TEST(Decode, CmykJpegIsInverted) {
  const Image image = decoded("cmyk.jpg");
  ASSERT_EQ(image.channels, 3);
  const uint8_t* a = image.row(3) + 15;
  const uint8_t* b = image.row(12) + 60;
  const int expected[] = {2, 2, 10, 38, 34, 20};
  for (int c = 0; c < 3; ++c) {
    EXPECT_NEAR(a[c], expected[c], 2);
    EXPECT_NEAR(b[c], expected[3 + c], 2);
  }
}

TEST(Decode, WebpKeepsAlphaAndTakesTheFirstFrame) {
  EXPECT_EQ(decoded("rgba.webp"), test::pattern_rgba());
  EXPECT_EQ(drop_alpha(decoded("animated.webp")), pattern());
}

TEST(Decode, Bmp) {
  EXPECT_EQ(decoded("rgb.bmp"), pattern());
  const Image palette = decoded("palette.bmp");
  const uint8_t* p = palette.row(1) + 3 * 4;  // Colour 5.
  EXPECT_EQ((std::vector<int>(p, p + 3)), (std::vector<int>{80, 175, 5}));
}

TEST(Decode, LooksAtTheContentOnly) {
  EXPECT_EQ(sniff_image(fixture("rgb.png")), ImageFormat::kPng);
  EXPECT_EQ(sniff_image(fixture("grey.jpg")), ImageFormat::kJpeg);
  EXPECT_EQ(sniff_image(fixture("rgba.webp")), ImageFormat::kWebp);
  EXPECT_EQ(sniff_image(fixture("rgb.bmp")), ImageFormat::kBmp);
  EXPECT_EQ(sniff_image({}), ImageFormat::kUnknown);
  expect_error(ErrorKind::kFormat, "expected PNG, JPEG, WebP or BMP",
               [] { decode_image(as_bytes("<html>")); });
}

TEST(Decode, IgnoresBytesBehindTheEnd) {
  for (const char* name : {"rgb.png", "grey.jpg", "rgb.bmp", "rgba.webp"}) {
    auto bytes = fixture(name);
    const Image image = decode_image(bytes);
    bytes.insert(bytes.end(), 100, std::byte{0x55});
    EXPECT_EQ(decode_image(bytes), image) << name;
  }
}

TEST(Decode, LimitsComeBeforeMemory) {
  for (const char* name : {"rgb.png", "grey.jpg", "rgb.bmp", "rgba.webp"}) {
    const auto bytes = fixture(name);
    expect_error(ErrorKind::kFormat, "over the limit",
                 [&] { decode_image(bytes, {.max_pixels = 24 * 16 - 1}); });
    expect_error(ErrorKind::kFormat, "over the limit", [&] { decode_image(bytes, {.max_side = 23}); });
    expect_error(ErrorKind::kFormat, "encoded bytes", [&] { decode_image(bytes, {.max_bytes = 10}); });
    EXPECT_NO_THROW(decode_image(bytes, {.max_pixels = 24 * 16, .max_side = 24}));
  }
}

TEST(ReadImage, NamesTheFile) {
  EXPECT_EQ(read_image(test::fixture_path("rgb.png")), pattern());
  expect_error(ErrorKind::kData, "absent.png", [] { read_image(test::fixture_path("absent.png")); });
  expect_error(ErrorKind::kFormat, "rgb.png: read_png",
               [] { read_image(test::fixture_path("rgb.png"), {.max_side = 8}); });
}

TEST(EncodeWebp, RoundTrip) {
  EXPECT_EQ(decode_image(encode_webp(pattern(), 0, true)), pattern());
  EXPECT_EQ(decode_image(encode_webp(test::pattern_rgba(), 0, true)), test::pattern_rgba());
  EXPECT_LE(difference(decode_image(encode_webp(smooth(), 95)), smooth()), 24);
  EXPECT_EQ(decode_image(encode_webp(to_grey(pattern()), 0, true)), drop_alpha(to_grey(pattern())));
  expect_error(ErrorKind::kUsage, "quality", [] { encode_webp(pattern(), 101); });
  expect_error(ErrorKind::kUsage, "sides", [] { encode_webp(make_image(16384, 1, 3)); });
}

}  // namespace
}  // namespace ldm
