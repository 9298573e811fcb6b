#include "ldm/config/option_values.h"

#include "ldm/config/scalar.h"
#include "ldm/config/yaml.h"
#include "ldm/core/error.h"
#include "ldm/core/names.h"

namespace ldm {
namespace {

// "config.yaml:12: ", or "" for a node made by the program.
std::string place(const Node& node) {
  const std::string where = node.where();
  return where.empty() ? "" : where + ": ";
}

// What a node is, for "got".
std::string shown_value(const Node& node) {
  if (node.is_null()) return "null";
  if (!node.is_scalar()) return std::string(node.kind_name());
  constexpr size_t kLongest = 60;
  const auto& text = node.text();
  const std::string cut = text.size() > kLongest ? text.substr(0, kLongest) + "..." : text;
  return (node.quoted() || !looks_typed(text) ? "the string '" : "'") + cut + "'";
}

// 1 and 1.0, True and true are the same value.
bool same_value(const Node& a, const Node& b) {
  if (!a.is_scalar() || !b.is_scalar() || a.quoted() || b.quoted()) return to_yaml_flow(a) == to_yaml_flow(b);
  const auto x = parse_double(a.text()), y = parse_double(b.text());
  if (x || y) return x == y;
  const auto p = parse_bool(a.text()), q = parse_bool(b.text());
  return p || q ? p == q : a.text() == b.text();
}

bool is_plain_scalar(const Node& node) { return node.is_scalar() && !node.quoted(); }

}  // namespace

void fail_value(const Node& node, std::string_view path, std::string_view expected) {
  fail(ErrorKind::kUsage, place(node), path, path.empty() ? "" : ": ", "expected ", expected, ", got ",
       shown_value(node));
}

void read_value(const Node& node, std::string_view path, bool& out) {
  const auto value = is_plain_scalar(node) ? parse_bool(node.text()) : std::nullopt;
  if (!value) fail_value(node, path, "true or false");
  out = *value;
}

void read_value(const Node& node, std::string_view path, double& out) {
  const auto value = is_plain_scalar(node) ? parse_double(node.text()) : std::nullopt;
  if (!value) fail_value(node, path, "a number");
  out = *value;
}

void read_value(const Node& node, std::string_view path, std::string& out) {
  if (!node.is_scalar()) fail_value(node, path, "a string");
  out = node.text();
}

int64_t read_integer(const Node& node, std::string_view path, int64_t low, int64_t high) {
  const auto value = is_plain_scalar(node) ? parse_int(node.text()) : std::nullopt;
  if (!value) fail_value(node, path, "an integer");
  if (*value < low || *value > high) {
    fail_value(node, path, "an integer of " + std::to_string(low) + " to " + std::to_string(high));
  }
  return *value;
}

FieldReader::FieldReader(const Node& node, std::string_view path) : node_(node), path_(path) {
  if (!node.is_map()) fail_value(node, path, "a map of settings");
}

const Node* FieldReader::take(std::string_view name) {
  known_.emplace_back(name);
  return node_.find(name);
}

std::string FieldReader::full_name(std::string_view name) const {
  return path_ + (path_.empty() ? "" : ".") + std::string(name);
}

void FieldReader::only(std::string_view name, std::string_view value, std::string_view why) {
  const Node* given = take(name);
  if (given == nullptr || given->is_null() || same_value(*given, parse_yaml(value, "expected"))) return;
  fail_value(*given, full_name(name), std::string(value) + " (" + std::string(why) + ")");
}

void FieldReader::refuse_unknown() const {
  for (const auto& [key, value] : node_.entries()) {
    if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
    std::string hint = nearest_hint(key, known_);
    if (hint.empty()) hint = "; expected one of " + join_names(known_);
    fail(ErrorKind::kUsage, place(value), "unknown key '", full_name(key), "'", hint);
  }
}

void IgnoredFields::ignored(std::string_view name, std::string_view why) {
  if (node_.find(name) != nullptr)
    found_.push_back(path_ + "." + std::string(name) + ": " + std::string(why));
}

void FieldHelp::add(std::string_view name, const Node& value, std::string_view help) {
  lines_.push_back({prefix_ + (prefix_.empty() ? "" : ".") + std::string(name) + "=" + to_yaml_flow(value),
                    std::string(help)});
}

std::string FieldHelp::text() const {
  // The second column begins after the longest setting of ordinary length.
  constexpr size_t kWidest = 44;
  size_t column = 0;
  for (const auto& line : lines_) {
    if (line.setting.size() <= kWidest) column = std::max(column, line.setting.size());
  }
  std::string text;
  for (const auto& [setting, help] : lines_) {
    text += "  " + setting;
    if (!help.empty())
      text += std::string(setting.size() < column ? column - setting.size() : 0, ' ') + "  " + help;
    text += "\n";
  }
  return text;
}

}  // namespace ldm
