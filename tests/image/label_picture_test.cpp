// Label maps: the numbers that a picture stores, whatever it shows.
#include "ldm/image/label_picture.h"

#include "ldm/image/decode.h"
#include "tests/image/fixtures.h"
#include "tests/image/png_parts.h"

namespace ldm {
namespace {

using test::expect_error;

constexpr int kGreyPng = 0, kRgbPng = 2, kPalettePng = 3, kGreyAlphaPng = 4;

// A PNG of 2 x 2 pixels whose rows hold these bytes.
std::string stored_png(int bits, int colour, const std::string& first, const std::string& second) {
  const std::string header =
      test::big_endian(2) + test::big_endian(2) + static_cast<char>(bits) + static_cast<char>(colour);
  const std::string palette = colour == kPalettePng ? test::chunk("PLTE", std::string(12, '\xc0')) : "";
  const std::string none(1, '\0');
  return "\x89PNG\r\n\x1a\n" + test::chunk("IHDR", header + std::string(3, '\0')) + palette +
         test::chunk("IDAT", test::deflated(none + first + none + second)) + test::chunk("IEND", "");
}

std::vector<uint8_t> stored_labels(const std::string& png) {
  const auto labels = decode_label_picture(as_bytes(png));
  EXPECT_EQ(labels.channels, 1);
  return labels.pixels;
}

TEST(LabelPicture, NumbersAreAsStored) {
  const std::vector<uint8_t> kNumbers{1, 0, 2, 3};
  const auto text = [](std::initializer_list<int> bytes) { return std::string(bytes.begin(), bytes.end()); };
  EXPECT_EQ(stored_labels(stored_png(8, kGreyPng, text({1, 0}), text({2, 3}))), kNumbers);
  EXPECT_EQ(stored_labels(stored_png(16, kGreyPng, text({0, 1, 0, 0}), text({0, 2, 0, 3}))), kNumbers);
  EXPECT_EQ(stored_labels(stored_png(2, kGreyPng, text({0x40}), text({0xb0}))), kNumbers);
  EXPECT_EQ(stored_labels(stored_png(8, kPalettePng, text({1, 0}), text({2, 3}))), kNumbers);
  EXPECT_EQ(stored_labels(stored_png(4, kPalettePng, text({0x10}), text({0x23}))), kNumbers);
  EXPECT_EQ(stored_labels(stored_png(8, kGreyAlphaPng, text({1, 9, 0, 9}), text({2, 9, 3, 9}))), kNumbers);
  EXPECT_EQ(stored_labels(stored_png(8, kRgbPng, text({1, 1, 1, 0, 0, 0}), text({2, 2, 2, 3, 3, 3}))),
            kNumbers);
}

TEST(LabelPicture, IsTurnedUpright) {
  const std::string turned("MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0", 26);
  auto png = stored_png(8, kGreyPng, std::string("\1\0", 2), "\2\3");
  png.insert(png.find("IDAT") - 4, test::chunk("eXIf", turned));
  EXPECT_EQ(stored_labels(png), (std::vector<uint8_t>{2, 1, 3, 0}));
}

TEST(LabelPicture, OtherFormatsHaveTheirGrey) {
  const auto labels = decode_label_picture(test::fixture("grey.jpg"));
  EXPECT_EQ(labels, to_grey(decode_image(test::fixture("grey.jpg"))));
}

TEST(LabelPicture, RefusesWhatIsNoNumberOfALabel) {
  const std::string colour("\1\1\1\1\2\1", 6), large("\0\1\1\0", 4);
  const auto decode = [](const std::string& png) { return [png] { decode_label_picture(as_bytes(png)); }; };
  expect_error(ErrorKind::kData, "pixel 1,1: expected a number of a label, got a colour",
               decode(stored_png(8, kRgbPng, std::string(6, '\1'), colour)));
  expect_error(ErrorKind::kData, "pixel 1,0: expected a label of 0 to 255, got 256",
               decode(stored_png(16, kGreyPng, large, large)));
  expect_error(ErrorKind::kFormat, "over the limit",
               [] { decode_label_picture(as_bytes(stored_png(8, kGreyPng, "ab", "cd")), {.max_side = 1}); });
  expect_error(ErrorKind::kFormat, "over the limit", [] {
    decode_label_picture(as_bytes(stored_png(8, kGreyPng, "ab", "cd")), {.max_bytes = 20});
  });
  expect_error(ErrorKind::kData, "rgb.png: pixel", [] { read_label_picture(test::fixture_path("rgb.png")); });
}

// Every outcome but labels or an error of the file is a failure.
TEST(LabelPicture, SurvivesDamage) {
  for (const char* name :
       {"palette4_trns.png", "grey_alpha.png", "rgb16.png", "interlaced.png", "exif6.png"}) {
    const auto good = test::fixture(name);
    for (size_t at = 0; at < good.size(); ++at) {
      auto bytes = good;
      bytes[at] ^= std::byte{0x81};
      try {
        check_image(decode_label_picture(bytes, {.max_pixels = 1 << 20, .max_side = 4096}), "label picture");
      } catch (const Error& error) {
        EXPECT_TRUE(error.kind() == ErrorKind::kFormat || error.kind() == ErrorKind::kData) << error.what();
      }
    }
  }
}

}  // namespace
}  // namespace ldm
