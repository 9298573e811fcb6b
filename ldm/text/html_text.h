#pragma once

#include <string>
#include <string_view>

namespace ldm {

// Character references of HTML: "&#39;", "&#x27;", "&eacute;" and, where HTML allows it, "&eacute" become the
// character; what is no reference stays (HTML 5, section 13.2.5.72 onwards). Of the names those of HTML 4 are
// known (W3C 1999, chapter 24) and apos.
std::u32string unescape_html(std::u32string_view text);

// As ftfy 6 does before it repairs a text: only references that end in ";", and capitals of lower-case names
// too ("&EACUTE;").
std::u32string unescape_whole_html(std::u32string_view text);

// What Windows-1252 has for the bytes 0x80 to 0x9F; the same number where it has nothing.
char32_t windows_1252(char32_t byte);

}  // namespace ldm
