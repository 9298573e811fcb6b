#include "ldm/io/printable.h"

#include <gtest/gtest.h>

namespace ldm {
namespace {

TEST(Printable, NothingReachesTheTerminalThatMovesItsCursor) {
  EXPECT_EQ(plain_text("a\x1b[31mb\r\nc\td\x7f"), "a?[31mb??c?d?");
  EXPECT_EQ(plain_text("\u009b31m \u202e \u2028 \u2066"), "?31m ? ? ?");
  EXPECT_EQ(plain_text("a\nb\tc\r", /*lines=*/true), "a\nb\tc?");
  EXPECT_EQ(plain_text("caf\xe9!"), "caf\uFFFD!");
  EXPECT_EQ(plain_text("caf\u00e9 \u732b \U0001F355"), "caf\u00e9 \u732b \U0001F355");
}

TEST(Printable, LongTextIsCutBetweenCharacters) {
  EXPECT_EQ(one_line("abc", 3), "abc");
  EXPECT_EQ(one_line("abcd", 3), "abc...");
  EXPECT_EQ(one_line("a\u732bb", 3), "a...");
  EXPECT_EQ(printable(std::string(1 << 20, 'x')), "'" + std::string(100, 'x') + "...'");
}

}  // namespace
}  // namespace ldm
