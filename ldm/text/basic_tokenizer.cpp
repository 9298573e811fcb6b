#include "ldm/text/basic_tokenizer.h"

#include <utf8proc.h>

#include "ldm/core/utf8.h"
#include "ldm/text/unicode.h"

namespace ldm {
namespace {

utf8proc_category_t category(char32_t c) { return utf8proc_category(static_cast<utf8proc_int32_t>(c)); }

// What the text is cleaned of. Unassigned characters stay, as in HF tokenizers.
bool is_dropped(char32_t c) {
  if (c == '\t' || c == '\n' || c == '\r') return false;
  const auto kind = category(c);
  return c == 0 || c == 0xFFFD || kind == UTF8PROC_CATEGORY_CC || kind == UTF8PROC_CATEGORY_CF ||
         kind == UTF8PROC_CATEGORY_CO;
}

// HF tokenizers' blocks of CJK ideographs (U+2B820 to U+2B91F are left out there too).
bool is_ideograph(char32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) ||
         (c >= 0x2A700 && c <= 0x2B73F) || (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

// ASCII punctuation includes symbols such as $ and +; beyond ASCII the categories P*.
bool is_punctuation(char32_t c) {
  if (c < 0x80)
    return (c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) || (c >= 123 && c <= 126);
  const auto kind = category(c);
  return kind >= UTF8PROC_CATEGORY_PC && kind <= UTF8PROC_CATEGORY_PO;
}

std::u32string clean(std::string_view text) {
  std::u32string out;
  for (char32_t c : decode_utf8(text)) {
    if (is_dropped(c)) continue;
    if (is_ideograph(c)) {
      out += {U' ', c, U' '};
    } else {
      out += is_white_space(c) ? U' ' : c;
    }
  }
  return out;
}

}  // namespace

bool stands_alone(char32_t c) { return is_punctuation(c) || is_ideograph(c); }

std::vector<std::string> basic_tokens(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  const auto finish = [&] {
    if (!word.empty()) words.push_back(std::move(word));
    word.clear();
  };
  for (char32_t c : to_nfd(clean(text))) {
    if (category(c) == UTF8PROC_CATEGORY_MN) continue;
    c = static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
    const bool punctuation = is_punctuation(c);
    if (punctuation || is_white_space(c)) finish();
    if (is_white_space(c)) continue;
    append_utf8(word, c);
    if (punctuation) finish();
  }
  finish();
  return words;
}

}  // namespace ldm
