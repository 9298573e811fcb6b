#include "ldm/text/clip_words.h"

#include <array>

#include "ldm/text/unicode.h"

namespace ldm {
namespace {

constexpr std::array<std::u32string_view, 9> kFixedWords{
    U"<|startoftext|>", U"<|endoftext|>", U"'s", U"'t", U"'re", U"'ve", U"'m", U"'ll", U"'d"};

bool is_symbol(char32_t c) { return !is_white_space(c) && !is_letter(c) && !is_number(c); }

// Characters of the run at the beginning of the text.
template <typename Property>
size_t run_size(std::u32string_view text, Property property) {
  size_t size = 0;
  while (size < text.size() && property(text[size])) ++size;
  return size;
}

// Characters of the word at the beginning of a text that is not empty; 0: white space.
size_t word_size(std::u32string_view text, bool long_s) {
  for (const auto word : kFixedWords) {
    if (text.starts_with(word)) return word.size();
  }
  if (long_s && text.starts_with(U"'\u017F")) return 2;
  if (is_letter(text[0])) return run_size(text, is_letter);
  if (is_number(text[0])) return 1;
  return run_size(text, is_symbol);
}

}  // namespace

std::vector<std::u32string_view> clip_words(std::u32string_view text, bool long_s) {
  std::vector<std::u32string_view> words;
  while (!text.empty()) {
    const size_t size = word_size(text, long_s);
    if (size > 0) words.push_back(text.substr(0, size));
    text.remove_prefix(size > 0 ? size : 1);
  }
  return words;
}

}  // namespace ldm
