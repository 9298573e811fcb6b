// What must hold for every text, on a thousand random ones.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "ldm/core/random.h"
#include "ldm/core/utf8.h"
#include "ldm/text/basic_tokenizer.h"
#include "ldm/text/clip_tokenizer.h"
#include "ldm/text/unicode.h"
#include "ldm/text/wordpiece.h"
#include "tests/text/error_text.h"

namespace ldm {
namespace {

constexpr uint64_t kTexts = 1000;
const std::string kPropertyMerges =
    "#version: 0.2\nt h\nth e</w>\na n\ni n\nin g</w>\n\xC3\x83 \xC2\xA9</w>\n";
const std::string kPropertyVocab = "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n##a\nthe\n##ing\nb\n##n\n,\n";

// Bytes of any value: mostly ill-formed UTF-8.
std::string random_bytes(Random& random) {
  std::string out(static_cast<size_t>(random.below(60)), '\0');
  for (auto& c : out) c = static_cast<char>(random.below(256));
  return out;
}

// Well-formed UTF-8 of letters, marks, symbols, spaces and controls from all over Unicode.
std::string random_characters(Random& random) {
  constexpr std::pair<int64_t, int64_t> kRanges[] = {{0x20, 0x7F},      {0x61, 0x7B},    {0, 0x20},
                                                     {0xA0, 0x600},     {0x600, 0xD800}, {0xE000, 0x110000},
                                                     {0x1F300, 0x1FB00}};
  std::string out;
  for (int64_t n = random.below(30); n > 0; --n) {
    const auto [first, end] = kRanges[random.below(std::size(kRanges))];
    append_utf8(out, static_cast<char32_t>(first + random.below(end - first)));
  }
  return out;
}

std::vector<std::string> random_texts() {
  std::vector<std::string> out;
  for (uint64_t i = 0; i < kTexts; ++i) {
    Random random(1, "texts", i);
    out.push_back(i % 2 == 0 ? random_bytes(random) : random_characters(random));
  }
  return out;
}

ClipTokenizer property_clip(ClipRules rules) {
  return ClipTokenizer::from_merges(text_bytes(kPropertyMerges), {.rules = rules});
}

// The bytes of the words that ids spell.
std::string spelled(const std::vector<int64_t>& ids) {
  static const auto kPieces = [] {
    std::map<std::string, char> bytes;
    for (int b = 0; b < 256; ++b)
      bytes[BytePairs::byte_letter(static_cast<uint8_t>(b))] = static_cast<char>(b);
    std::map<int64_t, std::string> out;
    for (const auto& [piece, id] :
         BytePairs::original_ids(parse_merges(text_bytes(kPropertyMerges), "test"))) {
      const auto letters = piece.ends_with("</w>") ? piece.substr(0, piece.size() - 4) : piece;
      for (const char32_t c : decode_utf8(letters)) out[id] += bytes.at(encode_utf8(std::u32string(1, c)));
    }
    return out;
  }();
  std::string out;
  for (const int64_t id : ids) out += kPieces.at(id);
  return out;
}

std::string without_spaces(std::u32string text) {
  std::erase_if(text, is_white_space);
  return encode_utf8(text);
}

TEST(TokenizerProperties, ClipSpellsEveryText) {
  const auto clip = property_clip(ClipRules::kHuggingFace);
  for (const auto& text : random_texts()) {
    EXPECT_EQ(spelled(clip.encode(text)), without_spaces(to_lower(to_nfc(decode_utf8(text)))));
  }
}

TEST(TokenizerProperties, WordsStandForThemselves) {
  const auto bert = WordPiece::from_vocab(text_bytes(kPropertyVocab));
  const auto clip = property_clip(ClipRules::kHuggingFace);
  const auto texts = random_texts();
  for (size_t i = 1; i < texts.size(); ++i) {
    for (const Tokenizer* tokenizer :
         {static_cast<const Tokenizer*>(&bert), static_cast<const Tokenizer*>(&clip)}) {
      auto both = tokenizer->encode(texts[i - 1]);
      const auto second = tokenizer->encode(texts[i]);
      both.insert(both.end(), second.begin(), second.end());
      EXPECT_EQ(tokenizer->encode(texts[i - 1] + " " + texts[i]), both) << i;
    }
  }
}

TEST(TokenizerProperties, IdsAreKnownFewAndPaddedToTheLength) {
  const auto bert = WordPiece::from_vocab(text_bytes(kPropertyVocab));
  const auto hf = property_clip(ClipRules::kHuggingFace), openai = property_clip(ClipRules::kOpenAi);
  for (const auto& text : random_texts()) {
    for (const Tokenizer* tokenizer : std::initializer_list<const Tokenizer*>{&bert, &hf, &openai}) {
      const auto ids = tokenizer->encode(text);
      EXPECT_TRUE(
          std::all_of(ids.begin(), ids.end(), [&](int64_t id) { return id >= 0 && id < tokenizer->size(); }));
      // Of one byte at most three: ill-formed ones become U+FFFD; compatibility forms may be 18 letters long.
      EXPECT_LE(ids.size(), 18 * 4 * text.size());
      const auto padded = tokenizer->encode_padded(text, 12);
      ASSERT_EQ(padded.size(), 12U);
      EXPECT_EQ(padded[0], tokenizer->begin_id());
      EXPECT_EQ(padded[std::min<size_t>(ids.size() + 1, 11)], tokenizer->end_id());
    }
    EXPECT_LE(bert.encode(text).size(),
              to_nfd(decode_utf8(text)).size());  // A piece has a character at least.
  }
}

TEST(TokenizerProperties, TheVocabularyTravels) {
  const auto bert = WordPiece::from_vocab(text_bytes(kPropertyVocab));
  const auto clip = property_clip(ClipRules::kOpenAi);
  const auto bert_vocab = bert.to_vocab(), clip_vocab = clip.to_vocab();
  const auto bert_again = WordPiece::from_vocab(text_bytes(bert_vocab));
  const auto clip_again = ClipTokenizer::from_vocab(text_bytes(clip_vocab), {.rules = ClipRules::kOpenAi});
  for (const auto& text : random_texts()) {
    EXPECT_EQ(bert_again.encode(text), bert.encode(text));
    EXPECT_EQ(clip_again.encode(text), clip.encode(text));
  }
}

}  // namespace
}  // namespace ldm
