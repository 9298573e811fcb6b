#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>

namespace ldm {

using Json = nlohmann::json;

struct JsonLimits {
  uint64_t max_bytes = 64 << 20;
  int64_t max_depth = 64;                       // Nested arrays and objects.
  std::span<const std::string_view> skip = {};  // Keys whose values are checked but not kept.
};

// Strict RFC 8259: UTF-8 only, no comments, no trailing commas, nothing after the value, no key twice in an
// object. Throws kFormat, one line that begins with `what` (a file's name, say).
Json parse_json(std::span<const std::byte> bytes, std::string_view what, const JsonLimits& limits = {});

// `indent` spaces a level, -1: one line. Keys in sorted order, so equal values give equal bytes.
// Throws kUsage if a string is not UTF-8.
std::string to_json(const Json& value, int indent = -1);

}  // namespace ldm
