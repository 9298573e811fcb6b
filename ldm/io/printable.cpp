#include "ldm/io/printable.h"

#include "ldm/core/utf8.h"

namespace ldm {
namespace {

bool is_control(char32_t c) {
  const bool line_end = c == 0x2028 || c == 0x2029;
  const bool direction = (c >= 0x200E && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) ||
                         (c >= 0x2066 && c <= 0x2069);  // Unicode's Bidi_Control.
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || line_end || direction;
}

}  // namespace

std::string plain_text(std::string_view text, bool lines) {
  std::string out;
  for (const char32_t c : decode_utf8(text)) {
    const bool kept = !is_control(c) || (lines && (c == '\n' || c == '\t'));
    append_utf8(out, kept ? c : U'?');
  }
  return out;
}

std::string one_line(std::string_view text, size_t most) {
  if (text.size() <= most) return plain_text(text);
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80)
    --most;  // Not inside a character.
  return plain_text(text.substr(0, most)) + "...";
}

}  // namespace ldm
