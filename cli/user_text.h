#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "ldm/core/error.h"

namespace ldm::cli {

// Bytes of a prompt, or of another text that a picture's recipe keeps: several of them fit a PNG's text.
inline constexpr size_t kLongestText = 32768;

// Throws `kind` unless it is UTF-8 without NUL of at most kLongestText bytes: what can be stored. `what` is
// the option or the place that it comes from.
void check_text(std::string_view text, const std::string& what, ErrorKind kind = ErrorKind::kUsage);

}  // namespace ldm::cli
