#include "ldm/core/memory.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "ldm/core/error.h"

namespace ldm {
namespace {

constexpr std::string_view kUnits = "KMGT";

// 1024^k for "", "k", "MB", "GiB", ...; 0 for another.
double unit_of(std::string_view text) {
  if (text.empty() || text == "B" || text == "b") return 1.0;
  const auto unit = kUnits.find(static_cast<char>(std::toupper(static_cast<unsigned char>(text[0]))));
  if (unit == kUnits.npos) return 0.0;
  std::string rest;
  for (const char c : text.substr(1)) rest += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (!rest.empty() && rest != "b" && rest != "ib") return 0.0;
  return std::ldexp(1.0, 10 * (static_cast<int>(unit) + 1));
}

std::string content_of(const char* path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

// The whole number that a text begins with.
std::optional<int64_t> leading_number(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  return value;
}

// The number after `key` in a text of lines "key number".
std::optional<int64_t> number_after(std::string_view text, std::string_view key) {
  const auto at = text.find(key);
  if (at == text.npos) return std::nullopt;
  return leading_number(text.substr(at + key.size()));
}

// What is left of the control group's limit; files that it has read could be dropped.
std::optional<int64_t> left_in_group() {
  const auto limit = leading_number(content_of("/sys/fs/cgroup/memory.max"));
  const auto used = leading_number(content_of("/sys/fs/cgroup/memory.current"));
  if (!limit || !used) return std::nullopt;
  const auto files = number_after(content_of("/sys/fs/cgroup/memory.stat"), "\ninactive_file ");
  return std::max<int64_t>(0, *limit - *used + files.value_or(0));
}

std::optional<int64_t> left_of_address_space() {
  rlimit limit{};
  const auto pages = leading_number(content_of("/proc/self/statm"));
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || !pages) return std::nullopt;
  return std::max<int64_t>(0, static_cast<int64_t>(limit.rlim_cur) - *pages * sysconf(_SC_PAGESIZE));
}

}  // namespace

int64_t parse_memory(std::string_view text, std::string_view who) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const double unit = unit_of(text.substr(static_cast<size_t>(end - text.data())));
  check(error == std::errc() && unit > 0 && std::isfinite(value) && value >= 0 && value * unit < 0x1p63, who,
        ": expected an amount of memory such as 512M, 4G or 2.5GiB, got '", text, "'");
  return static_cast<int64_t>(value * unit);
}

std::string format_memory(int64_t bytes) {
  if (bytes < 1024) return std::to_string(bytes) + " bytes";
  double value = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  char text[40];
  std::snprintf(text, sizeof(text), value < 10 && value != std::floor(value) ? "%.1f %ciB" : "%.0f %ciB",
                value, kUnits[unit]);
  return text;
}

std::optional<int64_t> parse_mem_available(std::string_view meminfo) {
  const auto kib = number_after(meminfo, "MemAvailable:");
  if (!kib) return std::nullopt;
  return *kib * 1024;
}

std::optional<int64_t> available_memory() {
  std::optional<int64_t> least;
  for (const auto& left :
       {parse_mem_available(content_of("/proc/meminfo")), left_in_group(), left_of_address_space()}) {
    if (left) least = least ? std::min(*least, *left) : *left;
  }
  return least;
}

}  // namespace ldm
