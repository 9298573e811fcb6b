#include "ldm/text/wordpiece_trainer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "ldm/core/error.h"

namespace ldm {
namespace {

const std::vector<std::string> kTexts = {"hug hug hug pug pug", "pun bun hugs", "caf\u00e9 \u65e5\u672c"};

bool has(const WordPiece& vocab, const std::string& piece) {
  return std::find(vocab.pieces().begin(), vocab.pieces().end(), piece) != vocab.pieces().end();
}

TEST(WordPieceTrainer, StartsWithSpecialsAndCharacters) {
  const WordPiece vocab = train_wordpiece(kTexts, 200);
  EXPECT_EQ(vocab.pad_id(), 0);
  EXPECT_EQ(vocab.unknown_id(), 1);
  for (const char* piece : {"a", "##a", "9", "##9", "!", "~", "\u65e5"})
    EXPECT_TRUE(has(vocab, piece)) << piece;
  EXPECT_FALSE(has(vocab, "##!"));       // Punctuation is never inside a word.
  EXPECT_FALSE(has(vocab, "##\u65e5"));  // Nor are ideographs.
  EXPECT_FALSE(has(vocab, "A"));
}

TEST(WordPieceTrainer, MergesTheMostFrequentPairs) {
  // Pairs: ##u ##g 6, h ##u 4, p ##u 3, ##u ##n 2; after ##ug: h ##ug 4, p ##ug 2, ##u ##n 2, p ##u 1.
  const WordPiece vocab = train_wordpiece(kTexts, 1000);
  const auto& pieces = vocab.pieces();
  const auto first = std::find(pieces.begin(), pieces.end(), "##ug");
  ASSERT_NE(first, pieces.end());
  const std::vector<std::string> merged(first, pieces.end());
  ASSERT_EQ(merged.size(), 4U);
  EXPECT_EQ(merged[1], "hug");
  EXPECT_TRUE(has(vocab, "pug"));
  EXPECT_TRUE(has(vocab, "##un"));
  EXPECT_FALSE(has(vocab, "bun"));  // Occurs once only.
  EXPECT_TRUE(has(train_wordpiece(kTexts, 1000, 1), "bun"));
}

TEST(WordPieceTrainer, NoAsciiWordIsLost) {
  const WordPiece vocab = train_wordpiece(kTexts, 1000);
  const auto ids = vocab.encode("Zebra-9000 (quick & brown) caf\u00e9!");
  EXPECT_EQ(std::count(ids.begin(), ids.end(), vocab.unknown_id()), 0);
}

TEST(WordPieceTrainer, KeepsToTheSizeAndRepeats) {
  const int64_t characters = train_wordpiece({}, 1000).size();
  const std::vector<std::string> ascii = {"hug hug hug pug pug pun bun hugs"};
  EXPECT_EQ(train_wordpiece(ascii, characters + 2).size(), characters + 2);
  EXPECT_EQ(train_wordpiece(kTexts, 300).to_vocab(), train_wordpiece(kTexts, 300).to_vocab());
}

TEST(WordPieceTrainer, RefusesTooSmallVocabularies) {
  try {
    train_wordpiece(kTexts, 10);
    FAIL() << "nothing thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_NE(std::string(error.what()).find("expected a vocab_size of at least"), std::string::npos);
  }
  EXPECT_THROW(train_wordpiece(kTexts, 1000, 0), Error);
}

}  // namespace
}  // namespace ldm
