#include "ldm/pipeline/class_names.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "ldm/core/error.h"
#include "ldm/core/names.h"
#include "ldm/core/utf8.h"
#include "ldm/io/file.h"
#include "ldm/io/printable.h"

namespace ldm {
namespace {

constexpr uint64_t kMostNameBytes = 4 << 20;

std::string_view trimmed_name(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string folded_name(std::string_view text) {
  std::string out(trimmed_name(text));
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

std::vector<std::string_view> parts_of(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  for (size_t at = 0; at <= text.size();) {
    const auto end = std::min(text.find(separator, at), text.size());
    out.push_back(trimmed_name(text.substr(at, end - at)));
    at = end + 1;
  }
  return out;
}

// Whether it names the class as a whole or by one of its synonyms.
bool names_class(const std::string& wanted, const std::string& name) {
  if (folded_name(name) == wanted) return true;
  const auto synonyms = parts_of(name, ',');
  return std::any_of(synonyms.begin(), synonyms.end(),
                     [&](std::string_view part) { return folded_name(part) == wanted; });
}

}  // namespace

int64_t find_class(std::string_view text, std::span<const std::string> names, int64_t classes) {
  int64_t number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) {
    check(number >= 0 && number < classes, "generate: expected a class in 0..", classes - 1, ", got ",
          number);
    return number;
  }
  check(!names.empty(), "class: the model does not say what its ", classes,
        " classes are called; expected a number, got '", text,
        "'; hint: --class-names names a file of names");
  check(static_cast<int64_t>(names.size()) <= classes, "class: got ", names.size(), " names for ", classes,
        " classes");
  const auto wanted = folded_name(text);
  std::vector<std::string> found;
  for (size_t k = 0; k < names.size(); ++k) {
    if (names_class(wanted, names[k])) found.push_back(std::to_string(k));
  }
  check(!found.empty(), "class: no class is called ", printable(text), nearest_hint(text, names));
  check(found.size() == 1, "class: '", text, "' is the name of classes ", join_names(found, " and "),
        "; expected the number of one");
  return std::stoll(found.front());
}

std::vector<std::string> read_class_names(const std::filesystem::path& path) {
  const auto text = read_text(path, kMostNameBytes);
  std::vector<std::string> names;
  for (const auto line : parts_of(without_byte_order_mark(text), '\n')) names.emplace_back(line);
  while (!names.empty() && names.back().empty()) names.pop_back();
  check(!names.empty(), ErrorKind::kFormat, path.string(), ": expected the names of classes, one a line");
  return names;
}

}  // namespace ldm
