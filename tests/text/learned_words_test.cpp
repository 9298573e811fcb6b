#include "ldm/text/learned_words.h"

#include <gtest/gtest.h>

#include "ldm/text/prompt_chunks.h"
#include "ldm/text/wordpiece.h"
#include "tests/text/error_text.h"

namespace ldm {
namespace {

using LearnedIds = std::vector<int64_t>;

TEST(LearnedWords, TheLongestSpellingWins) {
  LearnedWords words;
  words.add({5}, 100, 1);
  words.add({5, 6}, 101, 2);
  EXPECT_EQ(words.replaced(LearnedIds{4, 5, 6, 5, 7}), (LearnedIds{4, 101, 102, 100, 7}));
  EXPECT_EQ(words.run_length(101), 2);
  EXPECT_EQ(words.run_length(102), 1);
  EXPECT_EQ(words.run_length(4), 1);
  EXPECT_TRUE(words.knows(LearnedIds{5, 6}) && !words.knows(LearnedIds{6}));
}

TEST(LearnedWords, WhatCannotBeFoundIsRefused) {
  LearnedWords words;
  words.add({5}, 100, 1);
  EXPECT_NE(error_text([&] { words.add({}, 101, 1); }).find("nothing"), std::string::npos);
  EXPECT_NE(error_text([&] { words.add({5}, 101, 1); }).find("spelled the same"), std::string::npos);
  EXPECT_NE(error_text([&] { words.add({6}, 101, 0); }).find("at least one vector"), std::string::npos);
}

// A chunk of four places: the word of two does not fit behind three others, and keeps its weight.
TEST(LearnedWords, AreNotCutByChunks) {
  constexpr std::string_view kVocab = "[PAD]\n[UNK]\n[CLS]\n[SEP]\nred\ndisc\n";
  const auto pieces = WordPiece::from_vocab(std::as_bytes(std::span(kVocab)));
  LearnedWords words;
  words.add(pieces.encode("disc"), 6, 2);
  const LearnedWordsTokenizer tokenizer(pieces, words);
  const auto parts = parse_prompt_weights("red red red (disc:1.5) red");
  const auto chunks = chunk_prompt(parts, tokenizer, {.length = 4}).chunks;
  ASSERT_EQ(chunks.size(), 2U);
  EXPECT_EQ(chunks[0].ids, (LearnedIds{2, 4, 4, 4, 3, 0}));
  EXPECT_EQ(chunks[1].ids, (LearnedIds{2, 6, 7, 4, 3, 0}));
  EXPECT_EQ(chunks[1].weights, (std::vector<double>{1, 1.5, 1.5, 1, 1, 1}));
}

}  // namespace
}  // namespace ldm
