#include "ldm/text/html_text.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "ldm/text/unicode.h"

namespace ldm {
namespace {

constexpr std::u32string_view kWindows1252 =
    U"\u20AC\x81\u201A\u0192\u201E\u2026\u2020\u2021\u02C6\u2030\u0160\u2039\u0152\x8D\u017D\x8F"
    U"\x90\u2018\u2019\u201C\u201D\u2022\u2013\u2014\u02DC\u2122\u0161\u203A\u0153\x9D\u017E\u0178";

// U+00A0 to U+00FF. HTML allows these without the semicolon.
constexpr std::array<std::string_view, 96> kLatinNames{
    "nbsp",   "iexcl",  "cent",   "pound",  "curren", "yen",    "brvbar", "sect",   "uml",    "copy",
    "ordf",   "laquo",  "not",    "shy",    "reg",    "macr",   "deg",    "plusmn", "sup2",   "sup3",
    "acute",  "micro",  "para",   "middot", "cedil",  "sup1",   "ordm",   "raquo",  "frac14", "frac12",
    "frac34", "iquest", "Agrave", "Aacute", "Acirc",  "Atilde", "Auml",   "Aring",  "AElig",  "Ccedil",
    "Egrave", "Eacute", "Ecirc",  "Euml",   "Igrave", "Iacute", "Icirc",  "Iuml",   "ETH",    "Ntilde",
    "Ograve", "Oacute", "Ocirc",  "Otilde", "Ouml",   "times",  "Oslash", "Ugrave", "Uacute", "Ucirc",
    "Uuml",   "Yacute", "THORN",  "szlig",  "agrave", "aacute", "acirc",  "atilde", "auml",   "aring",
    "aelig",  "ccedil", "egrave", "eacute", "ecirc",  "euml",   "igrave", "iacute", "icirc",  "iuml",
    "eth",    "ntilde", "ograve", "oacute", "ocirc",  "otilde", "ouml",   "divide", "oslash", "ugrave",
    "uacute", "ucirc",  "uuml",   "yacute", "thorn",  "yuml",
};

constexpr std::pair<std::string_view, char32_t> kOtherNames[] = {
    {"quot", 0x22},     {"amp", 0x26},       {"apos", 0x27},      {"lt", 0x3C},       {"gt", 0x3E},
    {"OElig", 0x152},   {"oelig", 0x153},    {"Scaron", 0x160},   {"scaron", 0x161},  {"Yuml", 0x178},
    {"fnof", 0x192},    {"circ", 0x2C6},     {"tilde", 0x2DC},    {"Alpha", 0x391},   {"Beta", 0x392},
    {"Gamma", 0x393},   {"Delta", 0x394},    {"Epsilon", 0x395},  {"Zeta", 0x396},    {"Eta", 0x397},
    {"Theta", 0x398},   {"Iota", 0x399},     {"Kappa", 0x39A},    {"Lambda", 0x39B},  {"Mu", 0x39C},
    {"Nu", 0x39D},      {"Xi", 0x39E},       {"Omicron", 0x39F},  {"Pi", 0x3A0},      {"Rho", 0x3A1},
    {"Sigma", 0x3A3},   {"Tau", 0x3A4},      {"Upsilon", 0x3A5},  {"Phi", 0x3A6},     {"Chi", 0x3A7},
    {"Psi", 0x3A8},     {"Omega", 0x3A9},    {"alpha", 0x3B1},    {"beta", 0x3B2},    {"gamma", 0x3B3},
    {"delta", 0x3B4},   {"epsilon", 0x3B5},  {"zeta", 0x3B6},     {"eta", 0x3B7},     {"theta", 0x3B8},
    {"iota", 0x3B9},    {"kappa", 0x3BA},    {"lambda", 0x3BB},   {"mu", 0x3BC},      {"nu", 0x3BD},
    {"xi", 0x3BE},      {"omicron", 0x3BF},  {"pi", 0x3C0},       {"rho", 0x3C1},     {"sigmaf", 0x3C2},
    {"sigma", 0x3C3},   {"tau", 0x3C4},      {"upsilon", 0x3C5},  {"phi", 0x3C6},     {"chi", 0x3C7},
    {"psi", 0x3C8},     {"omega", 0x3C9},    {"thetasym", 0x3D1}, {"upsih", 0x3D2},   {"piv", 0x3D6},
    {"ensp", 0x2002},   {"emsp", 0x2003},    {"thinsp", 0x2009},  {"zwnj", 0x200C},   {"zwj", 0x200D},
    {"lrm", 0x200E},    {"rlm", 0x200F},     {"ndash", 0x2013},   {"mdash", 0x2014},  {"lsquo", 0x2018},
    {"rsquo", 0x2019},  {"sbquo", 0x201A},   {"ldquo", 0x201C},   {"rdquo", 0x201D},  {"bdquo", 0x201E},
    {"dagger", 0x2020}, {"Dagger", 0x2021},  {"bull", 0x2022},    {"hellip", 0x2026}, {"permil", 0x2030},
    {"prime", 0x2032},  {"Prime", 0x2033},   {"lsaquo", 0x2039},  {"rsaquo", 0x203A}, {"oline", 0x203E},
    {"frasl", 0x2044},  {"euro", 0x20AC},    {"image", 0x2111},   {"weierp", 0x2118}, {"real", 0x211C},
    {"trade", 0x2122},  {"alefsym", 0x2135}, {"larr", 0x2190},    {"uarr", 0x2191},   {"rarr", 0x2192},
    {"darr", 0x2193},   {"harr", 0x2194},    {"crarr", 0x21B5},   {"lArr", 0x21D0},   {"uArr", 0x21D1},
    {"rArr", 0x21D2},   {"dArr", 0x21D3},    {"hArr", 0x21D4},    {"forall", 0x2200}, {"part", 0x2202},
    {"exist", 0x2203},  {"empty", 0x2205},   {"nabla", 0x2207},   {"isin", 0x2208},   {"notin", 0x2209},
    {"ni", 0x220B},     {"prod", 0x220F},    {"sum", 0x2211},     {"minus", 0x2212},  {"lowast", 0x2217},
    {"radic", 0x221A},  {"prop", 0x221D},    {"infin", 0x221E},   {"ang", 0x2220},    {"and", 0x2227},
    {"or", 0x2228},     {"cap", 0x2229},     {"cup", 0x222A},     {"int", 0x222B},    {"there4", 0x2234},
    {"sim", 0x223C},    {"cong", 0x2245},    {"asymp", 0x2248},   {"ne", 0x2260},     {"equiv", 0x2261},
    {"le", 0x2264},     {"ge", 0x2265},      {"sub", 0x2282},     {"sup", 0x2283},    {"nsub", 0x2284},
    {"sube", 0x2286},   {"supe", 0x2287},    {"oplus", 0x2295},   {"otimes", 0x2297}, {"perp", 0x22A5},
    {"sdot", 0x22C5},   {"lceil", 0x2308},   {"rceil", 0x2309},   {"lfloor", 0x230A}, {"rfloor", 0x230B},
    {"loz", 0x25CA},    {"spades", 0x2660},  {"clubs", 0x2663},   {"hearts", 0x2665}, {"diams", 0x2666},
    {"lang", 0x27E8},   {"rang", 0x27E9},
};

bool is_semicolon_free(std::string_view name) {
  return name == "amp" || name == "lt" || name == "gt" || name == "quot";
}

bool same(std::u32string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char32_t x, char y) { return x == static_cast<unsigned char>(y); });
}

// The character that a name stands for; with_semicolon: the reference ends in one.
std::optional<char32_t> named_character(std::u32string_view name, bool with_semicolon) {
  for (size_t i = 0; i < kLatinNames.size(); ++i) {
    if (same(name, kLatinNames[i])) return static_cast<char32_t>(0xA0 + i);
  }
  for (const auto& [known, character] : kOtherNames) {
    if (same(name, known) && (with_semicolon || is_semicolon_free(known))) return character;
  }
  constexpr std::pair<std::string_view, char32_t> kCapitals[] = {
      {"AMP", U'&'}, {"LT", U'<'}, {"GT", U'>'}, {"QUOT", U'"'}, {"COPY", U'\u00A9'}, {"REG", U'\u00AE'}};
  for (const auto& [known, character] : kCapitals) {
    if (same(name, known)) return character;
  }
  return std::nullopt;
}

bool is_digit(char32_t c) { return c >= U'0' && c <= U'9'; }
bool is_hex_digit(char32_t c) { return is_digit(c) || ((c | 0x20U) >= U'a' && (c | 0x20U) <= U'f'); }

// What a number stands for; nothing for control characters and noncharacters.
std::u32string numbered_character(char32_t number) {
  if (number == 0 || number > 0x10FFFF || (number >= 0xD800 && number <= 0xDFFF)) return U"\uFFFD";
  if (number == U'\r') return U"\r";
  if (number >= 0x80 && number <= 0x9F) return {windows_1252(number)};
  const bool control = number < 0x20 && number != U'\t' && number != U'\n' && number != U'\f';
  const bool nothing = (number >= 0xFDD0 && number <= 0xFDEF) || (number & 0xFFFEU) == 0xFFFE;
  if (control || number == 0x7F || nothing) return {};
  return {number};
}

// A reference at the beginning of a text that starts with "&": its size and what it stands for. Size 0: none.
struct Reference {
  size_t size = 0;
  std::u32string value;
};

Reference numeric_reference(std::u32string_view text) {
  const bool hex = text.size() > 2 && (text[2] | 0x20U) == U'x';
  size_t at = hex ? 3 : 2;
  const size_t first = at;
  char32_t number = 0;
  for (; at < text.size() && (hex ? is_hex_digit(text[at]) : is_digit(text[at])); ++at) {
    const char32_t digit = is_digit(text[at]) ? text[at] - U'0' : (text[at] | 0x20U) - U'a' + 10;
    number = std::min<char32_t>(number * (hex ? 16 : 10) + digit, 0x110000);
  }
  if (at == first) return {};
  if (at < text.size() && text[at] == U';') ++at;
  return {at, numbered_character(number)};
}

Reference named_reference(std::u32string_view text) {
  constexpr size_t kLongest = 32;
  const auto name = text.substr(1, std::min(kLongest, text.substr(1).find_first_of(U"\t\n\f <&#;")));
  const size_t end = 1 + name.size();
  if (end < text.size() && text[end] == U';') {
    if (const auto found = named_character(name, true)) return {end + 1, {*found}};
  }
  for (size_t size = name.size(); size >= 2; --size) {
    if (const auto found = named_character(name.substr(0, size), false)) return {1 + size, {*found}};
  }
  return {};
}

Reference any_reference(std::u32string_view text) {
  return text.size() > 1 && text[1] == U'#' ? numeric_reference(text) : named_reference(text);
}

Reference whole_reference(std::u32string_view text) {
  constexpr size_t kLongest = 24;
  const size_t start = text.size() > 1 && text[1] == U'#' ? 2 : 1;
  size_t end = start;
  while (end < text.size() &&
         (is_digit(text[end]) || ((text[end] | 0x20U) >= U'a' && (text[end] | 0x20U) <= U'z')))
    ++end;
  const size_t size = end - start;
  if (size == 0 || size > kLongest || end == text.size() || text[end] != U';') return {};
  if (start == 2) {
    Reference found = numeric_reference(text);
    return found.size == end + 1 && found.value != U";" ? found : Reference{};
  }
  const auto name = text.substr(1, size);
  if (const auto found = named_character(name, true)) return {end + 1, {*found}};
  const std::u32string small = to_lower(name);
  const bool capitals =
      std::none_of(name.begin(), name.end(), [](char32_t c) { return c >= U'a' && c <= U'z'; });
  if (const auto found = named_character(small, true); found && capitals && named_reference(text).size == 0) {
    const char32_t character = *found;
    return {end + 1, to_upper({&character, 1})};
  }
  return {};
}

template <typename Find>
std::u32string unescaped(std::u32string_view text, Find find) {
  std::u32string out;
  while (!text.empty()) {
    Reference found;
    if (text[0] == U'&') found = find(text);
    if (found.size > 0) {
      out += found.value;
    } else {
      out += text[0];
    }
    text.remove_prefix(std::max<size_t>(found.size, 1));
  }
  return out;
}

}  // namespace

char32_t windows_1252(char32_t byte) {
  return byte >= 0x80 && byte <= 0x9F ? kWindows1252[byte - 0x80] : byte;
}

std::u32string unescape_html(std::u32string_view text) { return unescaped(text, any_reference); }
std::u32string unescape_whole_html(std::u32string_view text) { return unescaped(text, whole_reference); }

}  // namespace ldm
