#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace ldm::cli {

// Decimal digits and nothing else, up to 2^64-1: no sign, no spaces.
inline std::optional<uint64_t> read_whole_number(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace ldm::cli
