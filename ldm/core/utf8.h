#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ldm {

// The number of bytes at the beginning of text that are well-formed UTF-8 (Unicode 15, table 3-7: no overlong
// forms, no surrogates, nothing above U+10FFFF): text.size() if all of it is.
size_t valid_utf8_prefix(std::string_view text);

inline bool is_utf8(std::string_view text) { return valid_utf8_prefix(text) == text.size(); }

// The text behind a byte order mark, if it begins with one.
std::string_view without_byte_order_mark(std::string_view text);

// Code points of a text. Every ill-formed part becomes one U+FFFD (section 3.9, "maximal subparts"), so that
// hostile bytes cost nothing else.
std::u32string decode_utf8(std::string_view text);

// Appends one code point; surrogates and values above U+10FFFF are written as U+FFFD.
void append_utf8(std::string& out, char32_t code_point);

std::string encode_utf8(std::u32string_view code_points);

}  // namespace ldm
