#include "ldm/core/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace ldm {
namespace {

TEST(Utf8, TakesWellFormedText) {
  for (const char* text :
       {"", "plain", "\xC3\xA4", "\xE6\xBC\xA2", "\xF0\x9F\x8D\x95", "\xED\x9F\xBF", "\xEE\x80\x80",
        "\xF4\x8F\xBF\xBF", "\xC2\x80", "\xE0\xA0\x80", "\xF0\x90\x80\x80"}) {
    EXPECT_TRUE(is_utf8(text)) << text;
  }
  EXPECT_TRUE(is_utf8(std::string(1, '\0')));
}

TEST(Utf8, RefusesMalformedText) {
  for (const char* text :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xC3", "\xC3(", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xE6\xBC",
        "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xF0\x9F\x8D"}) {
    EXPECT_FALSE(is_utf8(text)) << text;
  }
}

TEST(Utf8, SaysWhereItBreaks) { EXPECT_EQ(valid_utf8_prefix("ab\xC3\xA4\xFFz"), 4u); }

}  // namespace
}  // namespace ldm
