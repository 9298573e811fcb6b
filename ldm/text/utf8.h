#pragma once

#include <string>
#include <string_view>

namespace ldm {

// Code points of UTF-8 text. Every ill-formed part becomes one U+FFFD (Unicode 15, section 3.9, "maximal
// subparts"), so that hostile bytes cost nothing else.
std::u32string decode_utf8(std::string_view text);

// Appends one code point; surrogates and values above U+10FFFF are written as U+FFFD.
void append_utf8(std::string& out, char32_t code_point);

std::string encode_utf8(std::u32string_view code_points);

}  // namespace ldm
