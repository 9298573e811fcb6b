#include "ldm/text/openai_clean.h"

#include <algorithm>
#include <utility>

#include "ldm/text/html_text.h"
#include "ldm/text/unicode.h"

namespace ldm {
namespace {

// A hostile text can nest references as deep as it is long; nobody means more than this.
constexpr int kMostPasses = 64;

constexpr std::pair<char32_t, std::u32string_view> kLigatures[] = {
    {0x0132, U"IJ"},      {0x0133, U"ij"}, {0x0149, U"'n"}, {0x01C4, U"D\u017D"}, {0x01C5, U"D\u017E"},
    {0x01C6, U"d\u017E"}, {0x01C7, U"LJ"}, {0x01C8, U"Lj"}, {0x01C9, U"lj"},      {0x01CA, U"NJ"},
    {0x01CB, U"Nj"},      {0x01CC, U"nj"}, {0x01F1, U"DZ"}, {0x01F2, U"Dz"},      {0x01F3, U"dz"},
    {0xFB00, U"ff"},      {0xFB01, U"fi"}, {0xFB02, U"fl"}, {0xFB03, U"ffi"},     {0xFB04, U"ffl"},
    {0xFB05, U"\u017Ft"}, {0xFB06, U"st"}};

bool is_control(char32_t c) {
  return c < 0x09 || c == 0x0B || (c >= 0x0E && c < 0x20) || c == 0x7F || (c >= 0x206A && c < 0x2070) ||
         c == 0xFEFF || (c >= 0xFFF9 && c < 0xFFFD);
}

// What takes the place of one character, control characters apart.
std::u32string plain_form(char32_t c) {
  c = windows_1252(c);
  for (const auto& [ligature, letters] : kLigatures) {
    if (c == ligature) return std::u32string(letters);
  }
  if (c == 0x3000) return U" ";
  if (c >= 0xFF01 && c < 0xFFF0) return to_nfkc({&c, 1});
  if (c == 0x02BC || (c >= 0x2018 && c <= 0x201B)) return U"'";
  if (c >= 0x201C && c <= 0x201F) return U"\"";
  if (c == U'\r' || c == 0x2028 || c == 0x2029) return U"\n";
  return {c};
}

// Characters of a terminal escape sequence ("\x1b[1;31m") at the beginning of the text; 0: none.
size_t escape_size(std::u32string_view text) {
  if (!text.starts_with(U"\x1B[")) return 0;
  const size_t end = text.find_first_not_of(U"0123456789;", 2);
  if (end == text.npos) return 0;
  const char32_t letter = text[end] | 0x20U;
  return letter >= U'a' && letter <= U'z' ? end + 1 : 0;
}

std::u32string plain_characters(std::u32string_view text) {
  std::u32string out;
  while (!text.empty()) {
    const size_t escape = escape_size(text);
    if (escape == 0 && !is_control(text[0])) out += plain_form(text[0]);
    text.remove_prefix(std::max<size_t>(escape, 1));
  }
  return out;
}

}  // namespace

std::u32string openai_clean(std::u32string_view text) {
  std::u32string out(text);
  const bool markup = text.find(U'<') != text.npos;
  for (int pass = 0; pass < kMostPasses; ++pass) {
    std::u32string next = markup ? out : unescape_whole_html(out);
    next = to_nfc(plain_characters(next));
    if (std::exchange(out, next) == next) break;
  }
  return unescape_html(unescape_html(out));
}

}  // namespace ldm
