#include "ldm/text/prompt_words.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "ldm/core/utf8.h"
#include "ldm/text/unicode.h"

namespace ldm {

size_t find_whole_word(std::u32string_view text, std::u32string_view word, size_t from) {
  for (size_t at = text.find(word, from); at != text.npos; at = text.find(word, at + 1)) {
    const size_t end = at + word.size();
    const bool begins = at == 0 || !is_word_character(text[at - 1]);
    const bool ends = end == text.size() || !is_word_character(text[end]);
    if (begins && ends) return at;
  }
  return text.npos;
}

std::u32string_view trim_start(std::u32string_view text) {
  const auto first = std::find_if_not(text.begin(), text.end(), is_white_space);
  return text.substr(static_cast<size_t>(first - text.begin()));
}

std::u32string_view trim_end(std::u32string_view text) {
  while (!text.empty() && is_white_space(text.back())) text.remove_suffix(1);
  return text;
}

std::optional<double> parse_weight(std::u32string_view text) {
  if (!text.empty() && text[0] == U'+') {
    text.remove_prefix(1);
    if (text.starts_with(U'-')) return std::nullopt;
  }
  if (text.find_first_not_of(U"-.0123456789") != text.npos) return std::nullopt;
  const std::string bytes = encode_utf8(text);
  double value = 0.0;
  const auto [end, error] = std::from_chars(bytes.data(), bytes.data() + bytes.size(), value);
  if (error != std::errc{} || end != bytes.data() + bytes.size()) return std::nullopt;
  return value;
}

}  // namespace ldm
