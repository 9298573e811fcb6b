#pragma once

#include <cstddef>
#include <string_view>

namespace ldm {

// The number of bytes at the beginning of text that are well-formed UTF-8 (Unicode 15, table 3-7: no overlong
// forms, no surrogates, nothing above U+10FFFF): text.size() if all of it is.
size_t valid_utf8_prefix(std::string_view text);

inline bool is_utf8(std::string_view text) { return valid_utf8_prefix(text) == text.size(); }

}  // namespace ldm
