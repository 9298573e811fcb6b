#include "ldm/image/exif.h"

#include <set>

#include "tests/image/fixtures.h"

namespace ldm {
namespace {

std::vector<std::byte> bytes_of(const std::string& text) {
  const auto view = as_bytes(text);
  return {view.begin(), view.end()};
}

std::vector<std::byte> little_endian_block(char value) {
  std::string text("II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0", 18);
  return bytes_of(text + value + std::string(7, '\0'));
}

TEST(Exif, ReadsBothByteOrders) {
  EXPECT_EQ(exif_orientation(little_endian_block(6)), 6);
  const std::string big("Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x08\0\0\0\0\0\0", 32);
  EXPECT_EQ(exif_orientation(bytes_of(big)), 8);
}

TEST(Exif, DamageGivesOne) {
  EXPECT_EQ(exif_orientation({}), 1);
  EXPECT_EQ(exif_orientation(little_endian_block(0)), 1);
  EXPECT_EQ(exif_orientation(little_endian_block(9)), 1);
  const auto whole = little_endian_block(6);
  for (size_t size = 0; size < 19; ++size)
    EXPECT_EQ(exif_orientation(std::span(whole).first(size)), 1) << size;
  EXPECT_EQ(exif_orientation(bytes_of(std::string("II*\0\xff\xff\xff\xff\xff\xff", 10))), 1);
}

// The corners A B / C D of a 2x2 picture, and where the standard puts them.
TEST(Exif, AppliesAllEight) {
  const Image image{2, 2, 1, {'A', 'B', 'C', 'D'}};
  const std::string expected[] = {"ABCD", "BADC", "DCBA", "CDAB", "ACBD", "CADB", "DBCA", "BDAC"};
  for (int i = 1; i <= 8; ++i) {
    const auto out = apply_orientation(image, i).pixels;
    EXPECT_EQ(std::string(out.begin(), out.end()), expected[i - 1]) << i;
  }
}

TEST(Exif, SwapsSides) {
  const Image out = apply_orientation(test::pattern(), 6);
  EXPECT_EQ(out.width, 16);
  EXPECT_EQ(out.height, 24);
  test::expect_error(ErrorKind::kUsage, "1..8", [] { apply_orientation(test::pattern(), 9); });
}

}  // namespace
}  // namespace ldm
