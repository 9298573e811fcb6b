#include "ldm/text/clip_words.h"

#include <algorithm>
#include <array>

#include "ldm/text/unicode.h"

namespace ldm {
namespace {

constexpr std::array<std::u32string_view, 7> kEndings{U"'s", U"'t", U"'re", U"'ve", U"'m", U"'ll", U"'d"};
// OpenAI's pattern knows the specials, and ignores case: the long s is an s, the iota below a letter.
constexpr std::array<std::u32string_view, 3> kOpenAiWords{U"<|startoftext|>", U"<|endoftext|>", U"'\u017F"};
constexpr char32_t kIotaBelow = 0x0345;

// Characters of the run at the beginning of the text.
template <typename Property>
size_t run_size(std::u32string_view text, Property property) {
  size_t size = 0;
  while (size < text.size() && property(text[size])) ++size;
  return size;
}

// Characters of the word at the beginning of a text that is not empty; 0: white space.
size_t word_size(std::u32string_view text, bool openai) {
  const auto starts = [&](std::u32string_view word) { return text.starts_with(word); };
  if (openai) {
    const auto word = std::find_if(kOpenAiWords.begin(), kOpenAiWords.end(), starts);
    if (word != kOpenAiWords.end()) return word->size();
  }
  if (const auto word = std::find_if(kEndings.begin(), kEndings.end(), starts); word != kEndings.end())
    return word->size();
  const auto letter = [openai](char32_t c) { return is_letter(c) || (openai && c == kIotaBelow); };
  const auto symbol = [&](char32_t c) { return !is_white_space(c) && !letter(c) && !is_number(c); };
  if (letter(text[0])) return run_size(text, letter);
  if (is_number(text[0])) return 1;
  return run_size(text, symbol);
}

}  // namespace

std::vector<std::u32string_view> clip_words(std::u32string_view text, bool openai) {
  std::vector<std::u32string_view> words;
  while (!text.empty()) {
    const size_t size = word_size(text, openai);
    if (size > 0) words.push_back(text.substr(0, size));
    text.remove_prefix(size > 0 ? size : 1);
  }
  return words;
}

}  // namespace ldm
