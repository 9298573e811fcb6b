#include "cli/name_pattern.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <sstream>

#include "ldm/core/error.h"
#include "ldm/core/names.h"

namespace ldm::cli {
namespace {

struct PatternField {
  const char* name;
  bool whole_number;
  std::string (*value)(const NameFields&);
};

std::string pattern_time(const std::tm& when, const char* format) {
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), format, &when)};
}

std::string pattern_guidance(const NameFields& f) {
  std::ostringstream text;
  text << f.guidance;
  return text.str();
}

const std::vector<PatternField> kPatternFields = {
    {"prompt", false, [](const NameFields& f) { return slug(f.prompt, f.label); }},
    {"seed", true, [](const NameFields& f) { return std::to_string(f.seed); }},
    {"n", true, [](const NameFields& f) { return std::to_string(f.n); }},
    {"date", false, [](const NameFields& f) { return pattern_time(f.began, "%Y-%m-%d"); }},
    {"time", false, [](const NameFields& f) { return pattern_time(f.began, "%H-%M-%S"); }},
    {"sampler", false, [](const NameFields& f) { return f.sampler; }},
    {"steps", true, [](const NameFields& f) { return std::to_string(f.steps); }},
    {"guidance", false, pattern_guidance},
    {"width", true, [](const NameFields& f) { return std::to_string(f.width); }},
    {"height", true, [](const NameFields& f) { return std::to_string(f.height); }},
    {"model", false, [](const NameFields& f) { return slug(f.model, -1); }},
};

// fields: the known ones, empty for all.
const PatternField& find_pattern_field(std::string_view name, std::string_view whole,
                                       std::span<const std::string_view> fields) {
  std::vector<std::string> names;
  for (const auto& field : kPatternFields) {
    if (!fields.empty() && std::find(fields.begin(), fields.end(), field.name) == fields.end()) continue;
    if (field.name == name) return field;
    names.emplace_back(field.name);
  }
  fail(ErrorKind::kUsage, "--out: unknown field {", name, "} in '", whole, "'; known are ", join_names(names),
       nearest_hint(name, names));
}

}  // namespace

std::string slug(std::string_view prompt, int64_t label) {
  constexpr size_t kLongest = 60;
  std::string out;
  for (const char c : prompt) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0) {
      out += static_cast<char>(std::tolower(byte));
    } else if (!out.empty() && out.back() != '-') {
      out += '-';
    }
    if (out.size() >= kLongest) break;
  }
  while (!out.empty() && out.back() == '-') out.pop_back();
  if (!out.empty()) return out;
  return label >= 0 ? "class-" + std::to_string(label) : "image";
}

NameFields fields_of_now() {
  const auto now = std::time(nullptr);
  NameFields fields;
  localtime_r(&now, &fields.began);
  return fields;
}

NamePattern::Part NamePattern::read_field(std::string_view inside, std::string_view whole,
                                          std::span<const std::string_view> fields) {
  const auto colon = inside.find(':');
  const auto name = inside.substr(0, colon);
  const auto& field = find_pattern_field(name, whole, fields);
  Part part{.text = std::string(name), .field = true};
  if (colon == inside.npos) return part;
  const auto width = inside.substr(colon + 1);
  const auto [end, error] = std::from_chars(width.data(), width.data() + width.size(), part.width);
  check(field.whole_number && !width.empty() && error == std::errc() && end == width.data() + width.size() &&
            part.width >= 1 && part.width <= 20,
        "--out: expected {", name, "}", field.whole_number ? " or a width of 1 to 20 as in {n:03}" : "",
        ", got {", inside, "} in '", whole, "'");
  return part;
}

NamePattern::NamePattern(std::string_view text, std::span<const std::string_view> fields) {
  const auto whole = text;
  std::string plain;
  while (!text.empty()) {
    const char c = text.front();
    const bool brace = c == '{' || c == '}';
    if (!brace || (text.size() > 1 && text[1] == c)) {
      plain += c;
      text.remove_prefix(brace ? 2 : 1);
      continue;
    }
    const auto end = text.find('}');
    check(c == '{' && end != text.npos, "--out: a brace without its other half in '", whole,
          "'; hint: {{ and }} are braces, {seed} is a field");
    if (!plain.empty()) parts_.push_back({.text = std::move(plain)});
    plain.clear();
    parts_.push_back(read_field(text.substr(1, end - 1), whole, fields));
    text.remove_prefix(end + 1);
  }
  if (!plain.empty()) parts_.push_back({.text = std::move(plain)});
}

bool NamePattern::has_fields() const {
  return std::any_of(parts_.begin(), parts_.end(), [](const Part& part) { return part.field; });
}

bool NamePattern::uses(std::string_view field) const {
  return std::any_of(parts_.begin(), parts_.end(),
                     [&](const Part& part) { return part.field && part.text == field; });
}

std::string NamePattern::expand(const NameFields& fields) const {
  std::string out;
  for (const auto& part : parts_) {
    if (!part.field) {
      out += part.text;
      continue;
    }
    const auto value = find_pattern_field(part.text, {}, {}).value(fields);
    out.append(std::max(part.width, value.size()) - value.size(), '0').append(value);
  }
  return out;
}

}  // namespace ldm::cli
