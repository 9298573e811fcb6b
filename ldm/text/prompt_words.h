#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace ldm {

// Where a word stands alone in a text (no letter, digit or "_" beside it), from `from` on; npos: nowhere.
size_t find_whole_word(std::u32string_view text, std::u32string_view word, size_t from = 0);

std::u32string_view trim_start(std::u32string_view text);
std::u32string_view trim_end(std::u32string_view text);

// The number that the whole text spells ([-+]? digits, at most one point, no exponent), if it is one.
std::optional<double> parse_weight(std::u32string_view text);

}  // namespace ldm
