#include "ldm/text/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "ldm/core/error.h"
#include "ldm/core/utf8.h"

namespace ldm {
namespace {

constexpr char32_t kCapitalSigma = 0x03A3, kFinalSigma = 0x03C2;

utf8proc_category_t unicode_category(char32_t c) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(c));
}

std::u32string mapped(std::u32string_view text, unsigned options) {
  const std::string bytes = encode_utf8(text);
  utf8proc_uint8_t* out = nullptr;
  const auto size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(bytes.data()),
                                 static_cast<utf8proc_ssize_t>(bytes.size()), &out,
                                 static_cast<utf8proc_option_t>(UTF8PROC_STABLE | options));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(out, &std::free);
  check(size >= 0, ErrorKind::kInternal, "unicode: utf8proc says ", utf8proc_errmsg(size));
  return decode_utf8({reinterpret_cast<const char*>(out), static_cast<size_t>(size)});
}

// The property Cased: letters with a case, ordinals, Roman numerals, circled and squared letters.
bool is_cased(char32_t c) {
  if (c == 0xAA || c == 0xBA || (c >= 0x2160 && c <= 0x217F) || (c >= 0x24B6 && c <= 0x24E9) ||
      (c >= 0x1F130 && c <= 0x1F149) || (c >= 0x1F150 && c <= 0x1F169) || (c >= 0x1F170 && c <= 0x1F189))
    return true;
  const auto kind = unicode_category(c);
  return kind == UTF8PROC_CATEGORY_LU || kind == UTF8PROC_CATEGORY_LL || kind == UTF8PROC_CATEGORY_LT;
}

// The property Case_Ignorable: marks, formats, modifiers, and the punctuation found inside words.
bool is_case_ignorable(char32_t c) {
  const auto kind = unicode_category(c);
  return kind == UTF8PROC_CATEGORY_MN || kind == UTF8PROC_CATEGORY_ME || kind == UTF8PROC_CATEGORY_CF ||
         kind == UTF8PROC_CATEGORY_LM || kind == UTF8PROC_CATEGORY_SK ||
         std::u32string_view(
             U"'.:\u00B7\u0387\u055F\u05F4\u2018\u2019\u2024\u2027\uFE13\uFE52\uFE55\uFF07"
             U"\uFF0E\uFF1A")
                 .find(c) != std::u32string_view::npos;
}

// Unicode 15, table 3-17, Final_Sigma.
bool ends_a_word(std::u32string_view text, size_t at) {
  const auto skipped = [](char32_t c) { return is_case_ignorable(c); };
  const auto before =
      std::find_if_not(text.rbegin() + static_cast<std::ptrdiff_t>(text.size() - at), text.rend(), skipped);
  const auto after =
      std::find_if_not(text.begin() + static_cast<std::ptrdiff_t>(at) + 1, text.end(), skipped);
  return before != text.rend() && is_cased(*before) && (after == text.end() || !is_cased(*after));
}

}  // namespace

bool is_white_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

bool is_letter(char32_t c) {
  const auto kind = unicode_category(c);
  return kind >= UTF8PROC_CATEGORY_LU && kind <= UTF8PROC_CATEGORY_LO;
}

bool is_number(char32_t c) {
  const auto kind = unicode_category(c);
  return kind >= UTF8PROC_CATEGORY_ND && kind <= UTF8PROC_CATEGORY_NO;
}

bool is_word_character(char32_t c) { return c == U'_' || is_letter(c) || is_number(c); }

std::u32string to_nfd(std::u32string_view text) { return mapped(text, UTF8PROC_DECOMPOSE); }
std::u32string to_nfc(std::u32string_view text) { return mapped(text, UTF8PROC_COMPOSE); }
std::u32string to_nfkc(std::u32string_view text) {
  return mapped(text, UTF8PROC_COMPOSE | static_cast<unsigned>(UTF8PROC_COMPAT));
}

std::u32string to_upper(std::u32string_view text) {
  std::u32string out(text);
  for (char32_t& c : out) c = static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(c)));
  return out;
}

std::u32string to_lower(std::u32string_view text) {
  std::u32string out;
  out.reserve(text.size());
  for (const char32_t c : text) {
    // The only character whose lower case is two (SpecialCasing.txt, unconditional).
    if (c == 0x0130) {
      out += U"i\u0307";
    } else {
      out += static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
    }
  }
  return out;
}

std::u32string to_lower_final_sigma(std::u32string_view text) {
  std::u32string marked(text);
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == kCapitalSigma && ends_a_word(text, i)) marked[i] = kFinalSigma;
  }
  return to_lower(marked);
}

}  // namespace ldm
