#include "cli/option_values.h"

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <exception>
#include <string_view>

#include "ldm/core/error.h"
#include "ldm/io/printable.h"

namespace ldm::cli {
namespace {

template <typename T>
bool reads_as(std::string_view text) {
  T value{};
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if constexpr (std::is_floating_point_v<T>) return whole && std::isfinite(value);
  return whole;
}

// What a type of CLI11's takes, and whether the text is such.
struct NumberType {
  std::string_view name;
  bool (*fits)(std::string_view);
  const char* expected;
};
constexpr NumberType kNumberTypes[] = {
    {"INT", reads_as<int64_t>, "a whole number"},
    {"UINT", reads_as<uint64_t>, "a whole number from 0 to 2^64-1"},
    {"FLOAT", reads_as<double>, "a number"},
};

// A flag's value: "true" where it stands alone.
bool is_switch(const std::string& value) {
  try {
    errno = 0;  // Newer versions of CLI11 say so here, older ones throw.
    CLI::detail::to_flag_value(value);
    return errno == 0;
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace

void check_value(const CLI::Option& option, const std::string& value) {
  const auto name = option.get_lnames().empty() ? option.get_name() : "--" + option.get_lnames().front();
  if (option.get_items_expected_max() == 0) {
    check(is_switch(value), name, ": expected no value, or true or false, got ", printable(value));
    return;
  }
  const bool positional = option.get_lnames().empty() && option.get_snames().empty();
  check(positional || name == "--negative" || !value.empty(), name,
        ": expected a value, got an empty one; hint: without the option its default counts");
  for (const auto& type : kNumberTypes) {
    check(option.get_type_name() != type.name || type.fits(value), name, ": expected ", type.expected,
          ", got ", printable(value));
  }
}

void check_values(const CLI::App& verb) {
  for (const auto* option : verb.get_options()) {
    for (const auto& value : option->results()) check_value(*option, value);
  }
}

}  // namespace ldm::cli
