#include "ldm/io/json.h"

#include <gtest/gtest.h>

#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "ldm/core/error.h"
#include "ldm/io/file.h"

namespace ldm {
namespace {

Json parse(std::string_view text, const JsonLimits& limits = {}) {
  return parse_json(as_bytes(text), "x.json", limits);
}

TEST(Json, ReadsValues) {
  const Json value = parse(R"( {"a": [1, -2, 3.5, null, true], "b": {"a": "\u00e4"}} )");
  EXPECT_EQ(value["a"][1], -2);
  EXPECT_EQ(value["b"]["a"], "\xC3\xA4");
  EXPECT_EQ(parse("7"), 7);
}

TEST(Json, WritesSortedKeys) {
  EXPECT_EQ(to_json(parse(R"({"b": 1, "a": [2]})")), R"({"a":[2],"b":1})");
  EXPECT_EQ(to_json(parse("[1]"), 2), "[\n  1\n]");
  EXPECT_THROW(to_json(Json("\xFF")), Error);
}

TEST(Json, RefusesWhatIsNoJson) {
  const std::vector<std::string> bad{"",
                                     " ",
                                     "{",
                                     "[1,]",
                                     "{\"a\":1,}",
                                     "{a:1}",
                                     "'a'",
                                     "// c\n1",
                                     "/* c */ 1",
                                     "1 2",
                                     "01",
                                     "NaN",
                                     "Infinity",
                                     "+1",
                                     ".5",
                                     "\"\n\"",
                                     "\"\xFF\"",
                                     "\"\xC0\x80\"",
                                     "\xEF\xBB\xBF{}",
                                     "[1",
                                     "\"a",
                                     "tru",
                                     "1e999",
                                     std::string("1\0", 2),
                                     "\"\\ud800\"",
                                     "{\"a\" 1}"};
  for (const auto& text : bad) {
    try {
      parse(text);
      ADD_FAILURE() << "was taken: " << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kFormat);
      const std::string message = error.what();
      EXPECT_TRUE(message.starts_with("x.json: ")) << message;
      EXPECT_EQ(message.find('\n'), message.npos) << message;
      EXPECT_LT(message.size(), 300u);
    }
  }
}

TEST(Json, SaysWhereInPlainWords) {
  try {
    parse("{\"a\":\n 1,}");
    FAIL() << "was taken";
  } catch (const Error& error) {
    const std::string message = error.what();
    EXPECT_TRUE(message.starts_with("x.json: expected JSON; line 2, column 4: syntax error")) << message;
  }
}

// A list costs what its entries cost, not their square: 26 s with a builder that looks through the list again
// after each of its objects.
TEST(Json, LongListsOfObjectsAreRead) {
  std::string text = "[{}";
  for (int i = 1; i < 300'000; ++i) text += ",{}";
  const auto begin = std::clock();
  EXPECT_EQ(parse(text + "]").size(), 300'000u);
  EXPECT_LT(std::clock() - begin, 10 * CLOCKS_PER_SEC);
}

TEST(Json, RefusesAKeyTwice) {
  EXPECT_THROW(parse(R"({"a": 1, "a": 1})"), Error);
  EXPECT_THROW(parse(R"([{"b": {"a": 1, "c": 2, "a": 1}}])"), Error);
  EXPECT_THROW(parse(R"({"a": 1, "\u0061": 1})"), Error) << "escapes make no difference";
  EXPECT_NO_THROW(parse(R"({"a": {"a": 1}, "b": {"a": 1}})"));
}

TEST(Json, RefusesTooDeepOrTooLong) {
  EXPECT_NO_THROW(parse("[[1]]", {.max_depth = 2}));
  EXPECT_THROW(parse("[[[1]]]", {.max_depth = 2}), Error);
  EXPECT_THROW(parse(R"({"a":{"a":{}}})", {.max_depth = 2}), Error);
  EXPECT_THROW(parse(std::string(1'000'000, '[')), Error);
  EXPECT_NO_THROW(parse("12345", {.max_bytes = 5}));
  EXPECT_THROW(parse("12345", {.max_bytes = 4}), Error);
}

TEST(Json, ALongBadTextMakesAShortLine) {
  try {
    parse("\"" + std::string(100'000, 'x'));
    FAIL() << "was taken";
  } catch (const Error& error) {
    EXPECT_LT(std::string(error.what()).size(), 300u);
  }
}

TEST(Json, ChecksWhatItSkips) {
  static constexpr std::string_view kSkipped[] = {"big"};
  const JsonLimits limits{.skip = kSkipped};
  EXPECT_EQ(parse(R"([{"big": [{"a": 1}, 2], "b": 1}, {"b": {"big": 0}}])", limits).dump(),
            R"([{"b":1},{"b":{}}])");
  EXPECT_THROW(parse(R"({"big": {"a": 1, "a": 2}})", limits), Error);
  EXPECT_THROW(parse(R"({"big": [1,]})", limits), Error);
  EXPECT_THROW(parse(R"({"b": {"c": {"d": 1}, "e": 1, "e": 2}})", limits), Error);
}

}  // namespace
}  // namespace ldm
