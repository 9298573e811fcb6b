#include "ldm/config/scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace ldm {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view take_digits(std::string_view& text) {
  const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
  const auto digits = text.substr(0, static_cast<size_t>(end - text.begin()));
  text.remove_prefix(digits.size());
  return digits;
}

// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
bool matches_number(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  const auto whole = take_digits(text);
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    const auto fraction = take_digits(text);
    if (whole.empty() && fraction.empty()) return false;
  } else if (whole.empty()) {
    return false;
  }
  if (text.empty()) return true;
  if (text[0] != 'e' && text[0] != 'E') return false;
  text.remove_prefix(1);
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return !take_digits(text).empty() && text.empty();
}

template <typename T, typename... Base>
std::optional<T> parse_whole(std::string_view text, Base... base) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base...);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

template <size_t N>
bool one_of(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

}  // namespace

bool is_null_text(std::string_view text) {
  return one_of(text, std::array<std::string_view, 5>{"", "~", "null", "Null", "NULL"});
}

std::optional<bool> parse_bool(std::string_view text) {
  if (one_of(text, std::array<std::string_view, 3>{"true", "True", "TRUE"})) return true;
  if (one_of(text, std::array<std::string_view, 3>{"false", "False", "FALSE"})) return false;
  return std::nullopt;
}

std::optional<int64_t> parse_int(std::string_view text) {
  if (text.starts_with("0x") && !text.starts_with("0x-")) return parse_whole<int64_t>(text.substr(2), 16);
  if (text.starts_with("0o") && !text.starts_with("0o-")) return parse_whole<int64_t>(text.substr(2), 8);
  if (!matches_number(text)) return std::nullopt;
  const auto unsigned_text = text.starts_with('+') ? text.substr(1) : text;
  if (const auto value = parse_whole<int64_t>(unsigned_text)) return value;
  const bool only_digits = std::all_of(unsigned_text.begin() + 1, unsigned_text.end(), is_digit);
  if (only_digits) return std::nullopt;  // Too large.
  const auto value = parse_double(text);
  if (!value || std::abs(*value) > 0x1p53 || *value != std::trunc(*value)) return std::nullopt;
  return static_cast<int64_t>(*value);
}

std::optional<double> parse_double(std::string_view text) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const auto unsigned_text = text.starts_with('+') ? text.substr(1) : text;
  if (one_of(unsigned_text, std::array<std::string_view, 3>{".inf", ".Inf", ".INF"})) return kInfinity;
  if (one_of(text, std::array<std::string_view, 3>{"-.inf", "-.Inf", "-.INF"})) return -kInfinity;
  if (!matches_number(text)) return std::nullopt;
  return parse_whole<double>(unsigned_text);
}

std::optional<size_t> parse_index(std::string_view text) {
  if (text.empty() || !std::all_of(text.begin(), text.end(), is_digit)) return std::nullopt;
  return parse_whole<size_t>(text);
}

std::string format_double(double value) {
  if (std::isinf(value)) return value > 0 ? ".inf" : "-.inf";
  if (std::isnan(value)) return ".nan";
  std::array<char, 40> buffer{};
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  std::string text(buffer.data(), result.ptr);
  if (text.find_first_of(".e") == text.npos) text += ".0";
  return text;
}

bool looks_typed(std::string_view text) {
  return is_null_text(text) || parse_bool(text) || matches_number(text) || parse_int(text) ||
         parse_double(text) || one_of(text, std::array<std::string_view, 3>{".nan", ".NaN", ".NAN"});
}

}  // namespace ldm
