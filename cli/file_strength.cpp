#include "cli/file_strength.h"

#include <charconv>
#include <cmath>
#include <filesystem>

#include "ldm/core/error.h"

namespace ldm::cli {

FileStrength read_file_strength(const std::string& text, const char* flag) {
  const auto colon = text.rfind(':');
  if (colon == text.npos || std::filesystem::exists(text)) return {.file = text};
  FileStrength out{.file = text.substr(0, colon)};
  const char *begin = text.data() + colon + 1, *end = text.data() + text.size();
  const auto [used, error] = std::from_chars(begin, end, out.strength);
  check(error == std::errc() && used == end && std::isfinite(out.strength), flag,
        ": expected FILE:STRENGTH, got '", text, "'");
  return out;
}

}  // namespace ldm::cli
