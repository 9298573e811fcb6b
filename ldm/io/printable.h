#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ldm {

// Text of a file fit for a terminal: control characters (C0, DEL, C1, marks that turn the direction of
// writing or end a line) become '?', bytes that are no UTF-8 U+FFFD. With `lines` line feeds and tabs stay.
std::string plain_text(std::string_view text, bool lines = false);

// The same on one line, of at most `most` bytes and then "...".
std::string one_line(std::string_view text, size_t most);

// A name that comes from a file, in quotes and fit for a line of an error: at most 100 bytes of it.
inline std::string printable(std::string_view name) { return "'" + one_line(name, 100) + "'"; }

}  // namespace ldm
