#include "ldm/data/emoji_names.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/data/temp_folder.h"

namespace ldm {
namespace {

const std::string kFile =
    "# emoji-test.txt\n\n# group: Food & Drink\n\n# subgroup: food-prepared\n"
    "1F355                  ; fully-qualified     # \U0001F355 E0.6 pizza\n"
    "0023 FE0F 20E3         ; fully-qualified     # # E0.6 keycap: #\n"
    "0023 20E3              ; unqualified         # # E0.6 keycap: #\n"
    "1F9D1 1F3FD 200D 1F680 ; fully-qualified     # x E12.1 astronaut: medium skin tone\n";

TEST(EmojiNames, ReadsTheFullyQualifiedLines) {
  const auto entries = parse_emoji_test(as_bytes(kFile), "x.txt");
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0].code_points, U"\U0001F355");
  EXPECT_EQ(entries[0].group, "Food & Drink");
  EXPECT_EQ(entries[0].subgroup, "food-prepared");
  EXPECT_EQ(entries[0].name, "pizza");
  EXPECT_EQ(entries[1].name, "keycap: #");
}

TEST(EmojiNames, RefusesBrokenLines) {
  const auto error = [](const std::string& text) {
    return error_of(ErrorKind::kFormat, [&] { parse_emoji_test(as_bytes(text), "x.txt"); });
  };
  EXPECT_TRUE(contains(error(""), "found none"));
  EXPECT_EQ(error("\n1F355 fully-qualified\n"),
            "parse_emoji_test: expected 'code points ; status # emoji version name' in line 2 of x.txt");
  EXPECT_TRUE(contains(error("1FXX ; fully-qualified # p E0.6 pizza"), "hexadecimal"));
  EXPECT_TRUE(contains(error("110000 ; fully-qualified # p E0.6 pizza"), "hexadecimal"));
  EXPECT_TRUE(contains(error("; fully-qualified # p E0.6 pizza"), "code points"));
  EXPECT_TRUE(contains(error("1F355 ; fully-qualified # p 0.6 pizza"), "a version"));
  EXPECT_TRUE(contains(error("1F355 ; fully-qualified # p E0.6"), "a name"));
  std::string many;
  for (int i = 0; i < 33; ++i) many += "41 ";
  EXPECT_TRUE(contains(error(many + "; fully-qualified # p E0.6 a"), "a shorter sequence"));
}

TEST(EmojiNames, NamesSequences) {
  EXPECT_EQ(hex_name(U"\u0023\uFE0F\u20E3"), "0023-20e3");
  EXPECT_EQ(hex_name(U"\U0001F9D1\U0001F3FD\u200D\U0001F680"), "1f9d1-1f3fd-200d-1f680");
  EXPECT_EQ(concept_of(U"\U0001F9D1\U0001F3FD\u200D\U0001F680\uFE0F"), U"\U0001F9D1\u200D\U0001F680");
  EXPECT_EQ(count_skin_tones(U"\U0001F9D1\U0001F3FD\u200D\U0001F3FF"), 2);
}

TEST(EmojiNames, DescribesByCldrAndSubgroup) {
  const auto entries = parse_emoji_test(as_bytes(kFile), "x.txt");
  const Annotations cldr = {{"\U0001F355", {"pizza pie", {"cheese", "pizza pie", "food", "slice"}}}};
  const Annotation pizza = describe_emoji(entries[0], cldr);
  EXPECT_EQ(pizza.name, "pizza pie");
  EXPECT_EQ(pizza.keywords, (std::vector<std::string>{"cheese", "food", "slice", "prepared"}));
  const Annotation keycap = describe_emoji(entries[1], cldr);
  EXPECT_EQ(keycap.name, "keycap: #");
  EXPECT_EQ(keycap.keywords, (std::vector<std::string>{"food", "prepared"}));
}

}  // namespace
}  // namespace ldm
