#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "ldm/text/prompt_and.h"
#include "ldm/text/prompt_chunks.h"
#include "ldm/text/prompt_schedule.h"
#include "ldm/text/prompt_weights.h"
#include "ldm/text/wordpiece.h"
#include "tests/text/error_text.h"

namespace ldm {
namespace {

using Parts = std::vector<PromptPart>;

TEST(PromptWeights, NumbersBracketsAndEscapes) {
  EXPECT_EQ(parse_prompt_weights("a (b:1.5) \\(c\\)"), (Parts{{"a ", 1.0}, {"b", 1.5}, {" (c)", 1.0}}));
  EXPECT_EQ(parse_prompt_weights("[x]"), (Parts{{"x", 1 / 1.1}}));
  EXPECT_EQ(parse_prompt_weights("(a:1.2.3)"), (Parts{{"a:1.2.3", 1.1}}));  // No number: text.
  EXPECT_EQ(parse_prompt_weights(""), (Parts{{"", 1.0}}));
}

TEST(PromptWeights, BreakIsAMark) {
  const auto parts = parse_prompt_weights("a BREAK b");
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_TRUE(parts[1].is_break());
  EXPECT_EQ(parse_prompt_weights("BREAKFAST"), (Parts{{"BREAKFAST", 1.0}}));
}

// Escaping every special character gives the text back, whatever it is.
TEST(PromptWeights, EscapedTextIsItself) {
  uint32_t state = 7;
  const std::string alphabet = "ab :1.()[]\\,";
  for (int round = 0; round < 500; ++round) {
    std::string text, escaped;
    for (int i = 0; i < 12; ++i) {
      const char c = alphabet[((state = state * 1664525U + 1013904223U) >> 24) % alphabet.size()];
      text += c;
      if (std::string("()[]\\").find(c) != std::string::npos) escaped += '\\';
      escaped += c;
    }
    ASSERT_EQ(parse_prompt_weights(escaped), plain_prompt(text)) << text;
    parse_prompt_weights(text);
    parse_prompt_terms(text);
    ASSERT_EQ(parse_prompt_schedule(text, 9).back().last_step, 9);
  }
}

TEST(PromptSchedule, SwitchesAndAlternates) {
  using Phases = std::vector<PromptPhase>;
  EXPECT_EQ(parse_prompt_schedule("a [cat:dog:.5]", 10), (Phases{{5, "a cat"}, {10, "a dog"}}));
  EXPECT_EQ(parse_prompt_schedule("[cat:dog:99]", 10), (Phases{{10, "cat"}}));
  EXPECT_EQ(parse_prompt_schedule("[cat:dog:0]", 10), (Phases{{10, "dog"}}));
  EXPECT_EQ(parse_prompt_schedule("[a|]x", 2), (Phases{{1, "ax"}, {2, "x"}}));
  EXPECT_EQ(parse_prompt_schedule("a|[b:1]", 3), (Phases{{3, "a|[b:1]"}}));
}

TEST(PromptSchedule, RefusesWhatIsNoPrompt) {
  EXPECT_EQ(
      error_text([] { parse_prompt_schedule(std::string(1000, '['), 10); }),
      "prompt: expected at most 100 brackets inside one another; hint: \\( is a bracket that means nothing");
  EXPECT_EQ(error_text([] { parse_prompt_schedule("a", 0); }),
            "prompt: expected a positive number of steps, got 0");
  // Nested brackets that never close are read once, not once for each way to begin.
  std::string open;
  for (int i = 0; i < 100; ++i) open += "[a:";
  for (int i = 0; i < 2000; ++i) open += "(b) [c";
  EXPECT_NE(error_text([&] { parse_prompt_schedule(open, 10); }), "nothing thrown");
  EXPECT_EQ(parse_prompt_schedule(open.substr(0, 300), 10).size(), 1U);
}

TEST(PromptTerms, AndJoinsPrompts) {
  using Terms = std::vector<PromptTerm>;
  EXPECT_EQ(parse_prompt_terms("a cat :1.2 AND a dog:-.5"), (Terms{{"a cat", 1.2}, {" a dog", -0.5}}));
  EXPECT_EQ(parse_prompt_terms("sand ANDY"), (Terms{{"sand ANDY", 1.0}}));
}

// 0 [PAD], 1 [UNK], 2 [CLS], 3 [SEP], 4 a, 5 ",", 6 b
WordPiece tiny_words() { return WordPiece::from_vocab(text_bytes("[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n,\nb\n")); }

TEST(PromptChunks, CutsAfterANearComma) {
  const auto words = tiny_words();
  const auto chunks = chunk_prompt(parse_prompt_weights("a a, (b b:2)"), words, {.length = 4});
  ASSERT_EQ(chunks.chunks.size(), 2U);
  EXPECT_EQ(chunks.chunks[0].ids, (std::vector<int64_t>{2, 4, 4, 5, 3, 0}));
  EXPECT_EQ(chunks.chunks[1].ids, (std::vector<int64_t>{2, 6, 6, 3, 0, 0}));
  EXPECT_EQ(chunks.chunks[1].weights, (std::vector<double>{1, 2, 2, 1, 1, 1}));
  EXPECT_EQ(chunks.tokens, 6);
  const auto hard =
      chunk_prompt(parse_prompt_weights("a a, b b"), words, {.length = 4, .comma_backtrack = 0});
  EXPECT_EQ(hard.chunks[0].ids, (std::vector<int64_t>{2, 4, 4, 5, 6, 3}));
}

// Nothing is lost and nothing is reordered, wherever a prompt is cut.
TEST(PromptChunks, KeepEveryToken) {
  const auto words = tiny_words();
  uint32_t state = 3;
  for (int round = 0; round < 200; ++round) {
    std::string text;
    for (int i = 0; i < 30; ++i)
      text += std::string("ab,,")[((state = state * 1664525U + 1013904223U) >> 24) % 4] + std::string(" ");
    for (const int64_t backtrack : {0, 2, 20}) {
      const auto cut = chunk_prompt(plain_prompt(text), words, {.length = 7, .comma_backtrack = backtrack});
      std::vector<int64_t> ids;
      for (const auto& chunk : cut.chunks) {
        ASSERT_EQ(chunk.ids.size(), 9U);
        for (const int64_t id : chunk.ids) {
          if (id > 3) ids.push_back(id);
        }
      }
      ASSERT_EQ(ids, words.encode(text));
    }
  }
}

TEST(PromptChunks, RefusesAnImpossibleLength) {
  EXPECT_EQ(error_text([] { chunk_prompt({}, tiny_words(), {.length = 0}); }),
            "chunk_prompt: expected a positive length and no negative comma_backtrack, got 0 and 20");
}

}  // namespace
}  // namespace ldm
