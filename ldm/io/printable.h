#pragma once

#include <string>
#include <string_view>

namespace ldm {

// A name that comes from a file, in quotes and fit for a line of an error: at most 100 characters, none of
// them a control character.
inline std::string printable(std::string_view name) {
  std::string text(name.substr(0, 100));
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  }
  return "'" + text + (name.size() > 100 ? "...'" : "'");
}

}  // namespace ldm
