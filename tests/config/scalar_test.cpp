#include "ldm/config/scalar.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace ldm {
namespace {

TEST(Scalar, Booleans) {
  for (const char* text : {"true", "True", "TRUE"}) EXPECT_EQ(parse_bool(text), true) << text;
  for (const char* text : {"false", "False", "FALSE"}) EXPECT_EQ(parse_bool(text), false) << text;
  for (const char* text : {"yes", "no", "on", "off", "tRue", "1", "0", "", "y"})
    EXPECT_FALSE(parse_bool(text)) << text;
}

TEST(Scalar, Nulls) {
  for (const char* text : {"", "~", "null", "Null", "NULL"}) EXPECT_TRUE(is_null_text(text)) << text;
  for (const char* text : {"none", "nULL", " "}) EXPECT_FALSE(is_null_text(text)) << text;
}

TEST(Scalar, Integers) {
  EXPECT_EQ(parse_int("0"), 0);
  EXPECT_EQ(parse_int("-17"), -17);
  EXPECT_EQ(parse_int("+4"), 4);
  EXPECT_EQ(parse_int("007"), 7) << "YAML 1.2 has no octal by a leading zero";
  EXPECT_EQ(parse_int("0o17"), 15);
  EXPECT_EQ(parse_int("0x1F"), 31);
  EXPECT_EQ(parse_int("9223372036854775807"), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(parse_int("-9223372036854775808"), std::numeric_limits<int64_t>::min());
}

TEST(Scalar, IntegralNumbersAreIntegers) {
  EXPECT_EQ(parse_int("1e3"), 1000);
  EXPECT_EQ(parse_int("2.0"), 2);
  EXPECT_EQ(parse_int("-1.5e1"), -15);
  EXPECT_EQ(parse_int("9007199254740992.0"), int64_t{1} << 53);
}

TEST(Scalar, OtherTextsAreNoIntegers) {
  for (const char* text : {"",
                           "-",
                           "+",
                           "1_000",
                           "1e-1",
                           "0.5",
                           "1e30",
                           "9223372036854775808",
                           "-9223372036854775809",
                           "12 ",
                           " 12",
                           "1,2",
                           "0x",
                           "0xg",
                           "0x-1",
                           "0o8",
                           "0o-1",
                           ".inf",
                           "true",
                           "--1",
                           "+-1",
                           "1e",
                           "0x1F.0",
                           "9007199254740993.0e1",
                           "+"}) {
    EXPECT_FALSE(parse_int(text)) << text;
  }
}

TEST(Scalar, Numbers) {
  EXPECT_EQ(parse_double("1e-4"), 1e-4);
  EXPECT_EQ(parse_double("2.0e-06"), 2e-6);
  EXPECT_EQ(parse_double(".5"), 0.5);
  EXPECT_EQ(parse_double("5."), 5.0);
  EXPECT_EQ(parse_double("+1E+2"), 100.0);
  EXPECT_EQ(parse_double("-3"), -3.0);
  EXPECT_EQ(parse_double(".inf"), std::numeric_limits<double>::infinity());
  EXPECT_EQ(parse_double("-.Inf"), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(parse_double("0.0015"), 0.0015);
}

TEST(Scalar, OtherTextsAreNoNumbers) {
  for (const char* text : {"",      ".",     "-",    "e5", "1e",  "1e+", "1_0.0", "inf",      "nan", ".nan",
                           "1e999", "1.2.3", "0x10", "1 ", "--1", "+-1", "1f",    "infinity", "-.",  ".e1"}) {
    EXPECT_FALSE(parse_double(text)) << text;
  }
}

TEST(Scalar, Indices) {
  EXPECT_EQ(parse_index("12"), 12u);
  for (const char* text : {"", "-1", "+1", "1.0", "0x1", "99999999999999999999999"})
    EXPECT_FALSE(parse_index(text)) << text;
}

TEST(Scalar, DoublesRoundTripInTheShortestForm) {
  EXPECT_EQ(format_double(1.0), "1.0");
  EXPECT_EQ(format_double(0.0015), "0.0015");
  EXPECT_EQ(format_double(-0.0), "-0.0");
  for (const double value :
       {0.1, 1e-4, 2e-6, 1e300, -1.0 / 3.0, 5e-324, 123456789.0, 1e22, std::nextafter(1.0, 2.0),
        std::numeric_limits<double>::infinity(), std::numeric_limits<double>::max()}) {
    EXPECT_EQ(parse_double(format_double(value)), value) << format_double(value);
  }
}

TEST(Scalar, KnowsWhatLooksTyped) {
  for (const char* text : {"", "null", "true", "1", "1e3", "0x1F", ".nan", "-.inf"})
    EXPECT_TRUE(looks_typed(text)) << text;
  for (const char* text : {"yes", "1_000", "a", "1.2.3", "-", "val/loss"})
    EXPECT_FALSE(looks_typed(text)) << text;
}

}  // namespace
}  // namespace ldm
