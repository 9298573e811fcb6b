#include "ldm/core/crc32c.h"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

namespace ldm {
namespace {

// RFC 3720, appendix B.4.
TEST(Crc32c, KnownAnswers) {
  EXPECT_EQ(crc32c(std::vector<std::byte>(32, std::byte{0})), 0x8A9136AAu);
  EXPECT_EQ(crc32c(std::vector<std::byte>(32, std::byte{0xFF})), 0x62A8AB43u);
  const std::string_view digits = "123456789";
  EXPECT_EQ(crc32c(std::as_bytes(std::span(digits))), 0xE3069283u);
  EXPECT_EQ(crc32c({}), 0u);
}

TEST(Crc32c, ContinuesFromASeed) {
  const std::string_view text = "123456789";
  const auto bytes = std::as_bytes(std::span(text));
  EXPECT_EQ(crc32c(bytes.subspan(4), crc32c(bytes.first(4))), crc32c(bytes));
}

TEST(Crc32c, MaskIsTheOneOfRecordFiles) {
  // masked = rotate right by 15 plus 0xa282ead8; the empty text has the check sum 0.
  EXPECT_EQ(masked_crc32c({}), 0xA282EAD8u);
  const std::string_view digits = "123456789";
  EXPECT_EQ(masked_crc32c(std::as_bytes(std::span(digits))),
            (0xE3069283u >> 15 | 0xE3069283u << 17) + 0xA282EAD8u);
}

}  // namespace
}  // namespace ldm
