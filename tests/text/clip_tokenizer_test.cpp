#include "ldm/text/clip_tokenizer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/text/error_text.h"

namespace ldm {
namespace {

using Ids = std::vector<int64_t>;

// 512 "ca", 513 "at</w>", 514 "cat</w>", 515 "in", 516 "ing</w>"; then begin 517 and end 518.
const std::string kMerges = "#version: 0.2\nc a\na t</w>\nca t</w>\ni n\nin g</w>\n";
constexpr int64_t kBegin = 517, kEnd = 518;

ClipTokenizer small_clip(const ClipTokenizerOptions& options = {}) {
  return ClipTokenizer::from_merges(text_bytes(kMerges), options);
}

// Of one printable ASCII letter.
int64_t letter(char c) { return c - '!'; }
int64_t last_letter(char c) { return 256 + letter(c); }

TEST(ClipTokenizer, MergesByRankAndMarksTheEndOfAWord) {
  EXPECT_EQ(small_clip().encode("cat at CAT"), (Ids{514, 513, 514}));
  // "c a" ranks before "ca t</w>", and a "t" inside a word is another letter than one at its end.
  EXPECT_EQ(small_clip().encode("cats"), (Ids{512, letter('t'), last_letter('s')}));
  EXPECT_EQ(small_clip().encode("caing"), (Ids{512, 516}));
  EXPECT_EQ(small_clip().encode("\xC3\xA9").size(), 2U);  // Two bytes, two letters.
}

TEST(ClipTokenizer, CutsWordsAsThePatternDoes) {
  EXPECT_EQ(small_clip().encode("can't"), (Ids{512, last_letter('n'), letter('\''), last_letter('t')}));
  EXPECT_EQ(small_clip().encode("42"), (Ids{last_letter('4'), last_letter('2')}));
  EXPECT_EQ(small_clip().encode("?!a"), (Ids{letter('?'), last_letter('!'), last_letter('a')}));
  EXPECT_EQ(small_clip().encode(" \t\n\xC2\xA0"), Ids{});
}

TEST(ClipTokenizer, SpecialsAreCutOutOfTheText) {
  EXPECT_EQ(small_clip().encode("at<|endoftext|>at"), (Ids{513, kEnd, 513}));
  EXPECT_EQ(small_clip({.rules = ClipRules::kOpenAi}).encode("<|STARTOFTEXT|> at"), (Ids{kBegin, 513}));
  // In capitals they are none to transformers: symbols, letters, symbols.
  EXPECT_EQ(small_clip().encode("<|ENDOFTEXT|>!").back(), last_letter('!'));
  EXPECT_EQ(small_clip().encode("at!!"), (Ids{513, letter('!'), last_letter('!')}));
  EXPECT_EQ(small_clip({.pad_token = "!"}).encode("at!!"), (Ids{513, 0, 0}));
}

TEST(ClipTokenizer, PadsAndCuts) {
  EXPECT_EQ(small_clip().encode_padded("at", 5), (Ids{kBegin, 513, kEnd, kEnd, kEnd}));
  EXPECT_EQ(small_clip({.rules = ClipRules::kOpenAi}).encode_padded("at", 5), (Ids{kBegin, 513, kEnd, 0, 0}));
  EXPECT_EQ(small_clip().encode_padded("at at at", 4), (Ids{kBegin, 513, 513, kEnd}));
}

TEST(ClipTokenizer, OpenAiCleansFirst) {
  const auto openai = small_clip({.rules = ClipRules::kOpenAi});
  EXPECT_EQ(openai.encode("&amp;amp;c\xEF\xBC\xA1T"), openai.encode("&cat"));
  EXPECT_EQ(openai.encode("\xE2\x80\x9C"
                          "cat\xE2\x80\x99s"),
            openai.encode("\"cat's"));
  EXPECT_EQ(openai.encode("ca\x1B[31mt"), Ids{514});
  EXPECT_EQ(openai.encode("&#99;&#x61;&#0116"), Ids{514});
}

TEST(ClipTokenizer, ReadsBackWhatItWrote) {
  const std::string text = small_clip().to_vocab();
  EXPECT_EQ(text, kMerges);
  // Ids in another order travel as JSON.
  std::string vocab = R"({"<|endoftext|>": 0, "<|startoftext|>": 1)";
  int next = 2;
  for (const auto& [piece, id] : BytePairs::original_ids(parse_merges(text_bytes(kMerges), "test"))) {
    const std::string escaped = piece[0] == '"' || piece[0] == '\\' ? "\\" + piece : piece;
    vocab += ", \"" + escaped + "\": " + std::to_string(next++);
  }
  const auto odd = ClipTokenizer::from_files(text_bytes(vocab + "}"), text_bytes(kMerges));
  const auto again = ClipTokenizer::from_vocab(text_bytes(odd.to_vocab()));
  EXPECT_EQ(again.end_id(), 0);
  EXPECT_EQ(again.encode("a cat singing!"), odd.encode("a cat singing!"));
  EXPECT_NE(again.encode("cat"), small_clip().encode("cat"));
}

TEST(ClipTokenizer, TheOriginalsFileEndsWhereItsVocabularyDoes) {
  std::string text = "\"bpe_simple_vocab_16e6.txt#version: 0.2\n";
  for (int i = 0; i < 50000; ++i) text += "a b\n";
  EXPECT_EQ(parse_merges(text_bytes(text), "test").size(), 48894U);
}

TEST(ClipTokenizer, RefusesBrokenVocabularies) {
  const auto merges = [](const std::string& text) {
    return error_text([&] { ClipTokenizer::from_merges(text_bytes(text)); });
  };
  EXPECT_EQ(merges("ab\n"), "merges.txt: expected two pieces with a space between them in line 1");
  EXPECT_EQ(merges("a b\nab  c\n"), "merges.txt: expected two pieces with a space between them in line 2");
  EXPECT_EQ(merges("a bc\n"), "BytePairs: expected the piece 'bc' in the vocabulary of 515 pieces");
  std::string many;
  for (int i = 0; i <= 1'000'000; ++i) many += "a b\n";
  EXPECT_EQ(merges(many), "merges.txt: expected at most 1000000 merges");
  const auto files = [](const std::string& vocab) {
    return error_text([&] { ClipTokenizer::from_files(text_bytes(vocab), text_bytes("")); });
  };
  EXPECT_EQ(files("[]"), "vocab.json: expected an object of at most 1000000 pieces and their ids");
  EXPECT_EQ(files(R"({"a": -1})"), "vocab.json: expected an id below 1000000 for 'a', got -1");
  EXPECT_EQ(files(R"({"a": 1})"), "BytePairs: expected the piece '\xC4\x80' in the vocabulary of 1 pieces");
  EXPECT_EQ(error_text([] { small_clip({.pad_token = "cats"}); }),
            "ClipTokenizer: expected a pad_token of the vocabulary, got 'cats'");
  EXPECT_EQ(error_text([] { ClipTokenizer::from_vocab(text_bytes("{}")); }),
            "vocabulary: expected a JSON object of vocab and merges");
}

// Any bytes give ids of the vocabulary, and a text is the sum of its words.
TEST(ClipTokenizer, SpellsEveryText) {
  const auto clip = small_clip();
  uint32_t state = 1;
  for (int round = 0; round < 300; ++round) {
    std::string text;
    for (int i = 0; i < 40; ++i) text += static_cast<char>((state = state * 1664525U + 1013904223U) >> 24);
    const auto ids = clip.encode(text);
    for (const int64_t id : ids) ASSERT_TRUE(id >= 0 && id < clip.size());
    auto sum = clip.encode("cat");
    sum.insert(sum.end(), ids.begin(), ids.end());
    ASSERT_EQ(clip.encode("cat " + text), sum);
  }
  EXPECT_EQ(clip.encode(std::string(200'000, 'a')).size(), 200'000U);  // In n log n.
}

}  // namespace
}  // namespace ldm
