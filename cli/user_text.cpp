#include "cli/user_text.h"

#include "ldm/core/utf8.h"

namespace ldm::cli {

void check_text(std::string_view text, const std::string& what, ErrorKind kind) {
  check(text.size() <= kLongestText, kind, what, ": expected at most ", kLongestText, " bytes of text, got ",
        text.size());
  const auto good = valid_utf8_prefix(text);
  check(good == text.size(), kind, what, ": expected text in UTF-8, got another byte after ", good,
        " good ones");
  check(text.find('\0') == text.npos, kind, what, ": expected text, got a NUL after ", text.find('\0'),
        " bytes");
}

}  // namespace ldm::cli
