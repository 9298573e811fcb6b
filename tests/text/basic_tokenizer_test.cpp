#include "ldm/text/basic_tokenizer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ldm {
namespace {

using Words = std::vector<std::string>;

TEST(BasicTokens, SplitsAtSpacesAndPunctuation) {
  EXPECT_EQ(basic_tokens("  A cat,\ta\r\ndog's  "), (Words{"a", "cat", ",", "a", "dog", "'", "s"}));
  EXPECT_EQ(basic_tokens("a+b$c"), (Words{"a", "+", "b", "$", "c"}));
  EXPECT_EQ(basic_tokens("\u201cno\u201d\u3000yes"), (Words{"\u201c", "no", "\u201d", "yes"}));
  EXPECT_TRUE(basic_tokens("").empty());
}

TEST(BasicTokens, StripsAccentsAndCase) {
  EXPECT_EQ(basic_tokens("Cr\u00c8me BRU\u0302L\u00c9E"), (Words{"creme", "brulee"}));
  EXPECT_EQ(basic_tokens("\u0130stanbul"), (Words{"istanbul"}));
  EXPECT_EQ(basic_tokens("\u0141\u00d3D\u0179"), (Words{"\u0142odz"}));  // The stroke of L is no accent.
}

TEST(BasicTokens, SetsIdeographsApart) {
  EXPECT_EQ(basic_tokens("ab\u65e5\u672ccd \u30c6\u30ad"),
            (Words{"ab", "\u65e5", "\u672c", "cd", "\u30c6\u30ad"}));
}

TEST(BasicTokens, DropsControlsAndIllFormedBytes) {
  using namespace std::string_literals;
  EXPECT_EQ(basic_tokens("nu\0ll be\x07ll ze\u200bro"s), (Words{"null", "bell", "zero"}));
  EXPECT_EQ(basic_tokens("a\xFF\xFE"s + "b\xE2\x82 c"s), (Words{"ab", "c"}));
}

}  // namespace
}  // namespace ldm
