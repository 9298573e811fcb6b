#include <string>
#include <vector>

#include "ldm/config/yaml.h"
#include "ldm/core/random.h"
#include "tests/config/error_text.h"

namespace ldm {
namespace {

std::string yaml_refusal(std::string_view text, const YamlLimits& limits = {}) {
  return error_text(ErrorKind::kFormat, [&] { parse_yaml(text, "c.yaml", limits); });
}

TEST(YamlRefusal, NamesTheLine) {
  EXPECT_TRUE(yaml_refusal("a: 1\nb: [1, 2\nc: 3\n").starts_with("c.yaml:")) << "an open list";
  EXPECT_EQ(yaml_refusal("a: 1\nb: 2\na: 3\n"), "c.yaml:3: expected each key once, got 'a' twice");
  EXPECT_EQ(yaml_refusal("x:\n  a: {b: 1, b: 2}\n"), "c.yaml:2: expected each key once, got 'b' twice");
  EXPECT_EQ(yaml_refusal("a: 1\n---\nb: 2\n"), "c.yaml:2: expected one document, got another");
  EXPECT_EQ(yaml_refusal("a: &x {b: 1}\nc:\n  <<: *x\n"), "c.yaml:3: merge keys (<<) are not supported");
  EXPECT_EQ(yaml_refusal("a: !!python/object:os.system 1\n"),
            "c.yaml:1: expected no tag here, got 'tag:yaml.org,2002:python/object:os.system'");
  EXPECT_EQ(yaml_refusal("a: !mine {}\n"), "c.yaml:1: expected no tag here, got '!mine'");
  EXPECT_EQ(yaml_refusal("a: 1\n[1, 2]: 3\n"), "c.yaml:2: expected a plain key, got a list");
  EXPECT_EQ(yaml_refusal("{a: 1}: 3\n"), "c.yaml:1: expected a plain key, got a map");
  EXPECT_EQ(yaml_refusal("a: 1\n: 3\n"), "c.yaml:2: expected a plain key, got null");
}

TEST(YamlRefusal, OtherBrokenTexts) {
  for (const char* text :
       {"a: b: c", "a: 'x", "a: \"x", "a: *nothing", "[1, 2", "{a: 1", "a: }", "a: @x", "a: `x`", "\ta: 1",
        "a:\n  b: 1\n c: 2\n", "- 1\na: 2", "a: \"\\q\"", "%YAML 7.0\n---\na", "a: &x [*x]"}) {
    EXPECT_TRUE(yaml_refusal(text).starts_with("c.yaml:")) << text;
  }
}

TEST(YamlRefusal, BytesThatAreNoText) {
  EXPECT_EQ(yaml_refusal("a: 1\nb: \xFF\n"), "c.yaml:2: expected UTF-8");
  EXPECT_EQ(yaml_refusal(std::string_view("a: \0", 4)), "c.yaml:1: expected text, got a control character");
  EXPECT_EQ(yaml_refusal("a: 1\n\nb: \x04"), "c.yaml:3: expected text, got a control character");
  yaml_refusal(std::string_view("\xFE\xFF\0a", 4));
}

TEST(YamlRefusal, TooLarge) {
  EXPECT_EQ(yaml_refusal("a: 12345", {.max_bytes = 7}), "c.yaml: expected at most 7 bytes of YAML, got 8");
  EXPECT_EQ(yaml_refusal("- 1\n- 2\n- 3\n", {.max_nodes = 3}),
            "c.yaml:3: expected at most 3 values, got more");
}

TEST(YamlRefusal, TooDeep) {
  EXPECT_EQ(yaml_refusal("a: [[[1]]]", {.max_depth = 3}),
            "c.yaml:1: expected at most 3 nested levels, got more");
  EXPECT_NO_THROW(parse_yaml("a: [[1]]", "f", {.max_depth = 3}));
  yaml_refusal(std::string(100'000, '['));
  yaml_refusal(std::string(100'000, '{'));
  std::string text;
  for (size_t i = 0; i < 1000; ++i) text += std::string(i, ' ') + "a:\n";
  yaml_refusal(text);
  std::string dashes;
  for (int i = 0; i < 50'000; ++i) dashes += "- ";
  yaml_refusal(dashes);
}

TEST(YamlRefusal, AliasBombs) {
  std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string last = "*a" + std::to_string(i - 1), name = "a" + std::to_string(i);
    laughs += name + ": &" + name + " [";
    for (int k = 0; k < 10; ++k) laughs += (k ? ", " : "") + last;
    laughs += "]\n";
  }
  EXPECT_NE(yaml_refusal(laughs).find("values, got more"), std::string::npos);
  // Few nodes, but much text.
  std::string texts = "a: &a " + std::string(100'000, 'x') + "\nb: [";
  for (int i = 0; i < 10'000; ++i) texts += "*a, ";
  EXPECT_NE(yaml_refusal(texts + "]").find("values, got more"), std::string::npos);
}

// Whatever comes in, the answer is a tree or an error.
TEST(YamlRefusal, RandomDamageNeverHurts) {
  const std::string valid =
      "model:\n  target: &t \"a b\"\n  list: [1, {x: *t}, 'y']\n  text: |\n    line\n- ? k\n: v # c\n";
  Random random(1, "damage");
  int refused = 0;
  for (int trial = 0; trial < 3000; ++trial) {
    std::string text = valid;
    for (int64_t flips = 1 + random.below(6); flips > 0; --flips) {
      constexpr std::string_view kSigns = "[]{},:-?&*!|>'\"%@`# \n\tax1~<=\\";
      const auto at = static_cast<size_t>(random.below(static_cast<int64_t>(text.size())));
      const char c = kSigns[static_cast<size_t>(random.below(static_cast<int64_t>(kSigns.size())))];
      if (random.below(3) == 0) {
        text.insert(at, 1, c);
      } else {
        text[at] = c;
      }
    }
    try {
      to_yaml(parse_yaml(text, "f"));
    } catch (const Error& error) {
      ++refused;
      EXPECT_EQ(error.kind(), ErrorKind::kFormat) << error.what();
    }
  }
  EXPECT_GT(refused, 500);
}

}  // namespace
}  // namespace ldm
