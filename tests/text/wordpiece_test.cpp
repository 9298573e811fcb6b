#include "ldm/text/wordpiece.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/text/error_text.h"

namespace ldm {
namespace {

using Ids = std::vector<int64_t>;

// 0 [PAD], 1 [UNK], 2 [CLS], 3 [SEP], 4 un, 5 ##aff, 6 ##able, 7 a, 8 ##a, 9 ",", 10 unx, 11 [MASK]
const std::string kVocab = "[PAD]\n[UNK]\n[CLS]\n[SEP]\nun\n##aff\n##able\na\n##a\n,\nunx\n[MASK]\n";

WordPiece small() { return WordPiece::from_vocab(text_bytes(kVocab)); }

TEST(WordPiece, TakesTheLongestPieceFirst) {
  EXPECT_EQ(small().encode("unable"), (Ids{4, 6}));
  EXPECT_EQ(small().encode("a, unxaff"), (Ids{7, 9, 10, 5}));
  EXPECT_EQ(small().encode("unxff"), (Ids{1}));  // "##ff" is missing; nothing shorter is tried.
  EXPECT_EQ(small().encode("UN A aa"), (Ids{4, 7, 7, 8}));
}

TEST(WordPiece, UnknownWordsAreOneId) {
  EXPECT_EQ(small().encode("xyz a"), (Ids{1, 7}));
  EXPECT_EQ(small().encode("\U0001F600"), (Ids{1}));
  EXPECT_EQ(small().encode(std::string(101, 'a')), (Ids{1}));
  EXPECT_EQ(small().encode(std::string(100, 'a')).size(), 100U);
}

TEST(WordPiece, RecognisesSpecialsInTheText) {
  EXPECT_EQ(small().encode("[CLS]a[SEP] [MASK][PAD] [UNK]"), (Ids{2, 7, 3, 11, 0, 1}));
  EXPECT_EQ(small().encode("[cls]").size(), 3U);  // Specials are matched before lower-casing.
}

TEST(WordPiece, PadsAndCuts) {
  EXPECT_EQ(small().encode_padded("a", 5), (Ids{2, 7, 3, 0, 0}));
  EXPECT_EQ(small().encode_padded("a a a a", 4), (Ids{2, 7, 7, 3}));
  EXPECT_EQ(small().encode_padded("", 2), (Ids{2, 3}));
  EXPECT_EQ(error_text([] { small().encode_padded("a", 1); }),
            "encode_padded: expected room for begin and end, got max_length 1");
}

TEST(WordPiece, WritesWhatItRead) {
  EXPECT_EQ(small().to_vocab(), kVocab);
  EXPECT_EQ(small().size(), 12);
  const std::string windows = "[PAD]\r\n[UNK]\r\n[CLS]\r\n[SEP]";
  EXPECT_EQ(WordPiece::from_vocab(text_bytes(windows)).to_vocab(), "[PAD]\n[UNK]\n[CLS]\n[SEP]\n");
}

TEST(WordPiece, RefusesBrokenVocabularies) {
  const std::string twice = "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\na\n";
  EXPECT_EQ(error_text([&] { WordPiece::from_vocab(text_bytes(twice)); }),
            "WordPiece: expected every piece once, got 'a' again in line 6");
  const std::string missing = "[PAD]\n[UNK]\n[CLS]\n";
  EXPECT_EQ(
      error_text([&] { WordPiece::from_vocab(text_bytes(missing)); }),
      "WordPiece: expected [SEP] in the vocabulary of 3 pieces; hint: it must be BERT's vocab.txt form");
  std::string many;
  for (int i = 0; i <= 1'000'000; ++i) many += std::to_string(i) + "\n";
  EXPECT_EQ(error_text([&] { WordPiece::from_vocab(text_bytes(many)); }),
            "WordPiece: expected at most 1000000 pieces");
}

}  // namespace
}  // namespace ldm
