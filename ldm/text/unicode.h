#pragma once

#include <string>
#include <string_view>

namespace ldm {

// The properties and mappings of Unicode that tokenizers ask for (utf8proc's tables).

bool is_white_space(char32_t c);  // The property White_Space.
bool is_letter(char32_t c);       // \p{L}
bool is_number(char32_t c);       // \p{N}
// \w of Python's re: letters, numbers and "_". A word is a run of them.
bool is_word_character(char32_t c);

// Canonical decomposition and composition.
std::u32string to_nfd(std::u32string_view text);
std::u32string to_nfc(std::u32string_view text);
// Compatibility decomposition, then composition.
std::u32string to_nfkc(std::u32string_view text);

// Upper case character by character.
std::u32string to_upper(std::u32string_view text);
// Lower case character by character, without context: a final capital sigma becomes U+03C3, and U+0130 two
// characters.
std::u32string to_lower(std::u32string_view text);
// Lower case with the one rule that looks at the neighbours: a capital sigma that ends a word becomes U+03C2.
std::u32string to_lower_final_sigma(std::u32string_view text);

}  // namespace ldm
