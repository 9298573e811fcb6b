#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ldm/core/utf8.h"

namespace ldm {

// The code point at `at`, which moves behind it; nothing if the bytes there are not valid, shortest-form
// UTF-8.
std::optional<char32_t> next_code_point(std::string_view text, size_t& at);

// Nothing if a character lies outside U+0000..U+00FF, or the text is not UTF-8.
std::optional<std::string> utf8_to_latin1(std::string_view text);

std::string latin1_to_utf8(std::string_view text);

}  // namespace ldm
