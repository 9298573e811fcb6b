#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ldm {

// What a plain text means in YAML 1.2's core schema. Each function takes the whole text or gives nothing.

// null, Null, NULL, ~ or the empty text.
bool is_null_text(std::string_view text);

// true, True, TRUE, false, False, FALSE. Not yes, no, on, off.
std::optional<bool> parse_bool(std::string_view text);

// 12, -3, +4, 0o17, 0x1F; also a number whose value is integral, 1e3 or 2.0, up to 2^53.
std::optional<int64_t> parse_int(std::string_view text);

// 0.5, .5, 1e-4, 2.0e-06, -3, .inf, -.inf; no NaN, no inf by overflow.
std::optional<double> parse_double(std::string_view text);

// Decimal digits only, for list indices: 0, 12.
std::optional<size_t> parse_index(std::string_view text);

// The shortest text that parse_double reads back to the same value, and that looks like a real number: 1.0,
// 1e-06, .inf.
std::string format_double(double value);

// Would YAML take this plain text for something other than a string?
bool looks_typed(std::string_view text);

}  // namespace ldm
