// Damaged files: every outcome but a picture or a format error is a failure (a crash, a hang, another
// exception). Run it under AddressSanitizer to see more.
#include "ldm/core/random.h"
#include "ldm/image/decode.h"
#include "ldm/image/png.h"
#include "tests/image/fixtures.h"

namespace ldm {
namespace {

const std::vector<std::string> kFiles{
    "rgb.png",   "rgba.png",       "grey_alpha.png", "palette4_trns.png",
    "rgb16.png", "interlaced.png", "exif6.png",      "smooth_420.jpg",
    "grey.jpg",  "cmyk.jpg",       "smooth.webp",    "smooth_progressive.jpg",
    "rgba.webp", "animated.webp",  "rgb.bmp",        "palette.bmp"};

// True if it decoded. Small limits, so that a damaged size costs nothing.
bool survives(std::span<const std::byte> bytes) {
  try {
    const Image image = decode_image(bytes, {.max_pixels = 1 << 20, .max_side = 4096});
    check_image(image, "hostile_test");
    return true;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kFormat) << error.what();
    return false;
  }
}

TEST(Hostile, EveryTruncationIsRefused) {
  for (const auto& name : kFiles) {
    const auto bytes = test::fixture(name);
    for (size_t size = 0; size < bytes.size(); ++size) {
      const std::vector<std::byte> part(bytes.begin(), bytes.begin() + static_cast<int64_t>(size));
      EXPECT_FALSE(survives(part)) << name << " cut to " << size;
    }
  }
}

TEST(Hostile, FlippedBytes) {
  for (const auto& name : kFiles) {
    const auto good = test::fixture(name);
    for (size_t at = 0; at < good.size(); ++at) {
      for (const int mask : {0x01, 0x80, 0xff}) {
        auto bytes = good;
        bytes[at] ^= static_cast<std::byte>(mask);
        survives(bytes);
      }
    }
  }
}

TEST(Hostile, ManyRandomBytes) {
  for (const auto& name : kFiles) {
    const auto good = test::fixture(name);
    for (uint64_t i = 0; i < 300; ++i) {
      Random random(1, name, i);
      auto bytes = good;
      for (int64_t n = 1 + random.below(12); n > 0; --n) {
        bytes[static_cast<size_t>(random.below(static_cast<int64_t>(good.size())))] =
            static_cast<std::byte>(random.below(256));
      }
      survives(bytes);
    }
  }
}

// The first scan of a progressive file again and again: each costs a pass over the picture.
TEST(Hostile, TooManyScans) {
  const auto good = test::fixture("smooth_progressive.jpg");
  const std::string text(as_text(good));
  const size_t begin = text.find("\xff\xda");
  size_t end = begin + 2;
  while (text[end] != '\xff' || text[end + 1] == 0) ++end;  // The next marker; FF 00 is data.
  std::string bytes = text.substr(0, begin);
  for (int i = 0; i < 120; ++i) bytes += text.substr(begin, end - begin);
  bytes += text.substr(end);
  test::expect_error(ErrorKind::kFormat, "scans", [&] { decode_image(as_bytes(bytes)); });
}

TEST(Hostile, PngText) {
  const auto good = encode_png(test::pattern(), {{"parameters", "a"}, {"Title", "\u732b"}});
  for (size_t at = 0; at < good.size(); ++at) {
    auto bytes = good;
    bytes[at] ^= std::byte{0x81};
    for (const auto& part : {std::span<const std::byte>(bytes), std::span<const std::byte>(good).first(at)}) {
      try {
        read_png_text(part);
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kFormat);
      }
    }
  }
}

}  // namespace
}  // namespace ldm
