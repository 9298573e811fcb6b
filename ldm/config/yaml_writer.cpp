#include <algorithm>

#include "ldm/config/scalar.h"
#include "ldm/config/yaml.h"

namespace ldm {
namespace {

// Text that needs no quotes anywhere, in block and in flow style: letters, digits and _ . / + - inside,
// single spaces, bytes above ASCII; it begins and ends with none of the signs that could mean something.
bool is_plain(std::string_view text) {
  const auto word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '/';
  };
  if (text.empty() || !word(text.front()) || !word(text.back())) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return word(c) || c == '.' || c == '+' || c == '-' || c == ' ' || c == '=';
  });
}

std::string quote(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7F) {
      out += {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
    } else {
      out += c;
    }
  }
  return out + '"';
}

// A string is written plain only if it would be read back as a string; other scalars are plain by nature.
std::string scalar_text(const Node& node) {
  const auto& text = node.text();
  if (node.quoted()) return is_plain(text) && !looks_typed(text) ? text : quote(text);
  return is_plain(text) || (looks_typed(text) && !is_null_text(text)) ? text : quote(text);
}

std::string key_text(const std::string& key) {
  return is_plain(key) && !is_null_text(key) ? key : quote(key);
}

bool is_flat(const Node& node) {
  const auto leaf = [](const Node& item) { return item.is_scalar() || item.is_null(); };
  return node.is_null() || node.is_scalar() || (node.is_map() && node.entries().empty()) ||
         (node.is_sequence() && std::all_of(node.items().begin(), node.items().end(), leaf));
}

void write_block(const Node& node, size_t indent, std::string& out);

// What stands after "key:" or "-": on the same line if it fits there, else as an indented block.
void write_member(const Node& node, size_t indent, bool in_list, std::string& out) {
  if (is_flat(node)) {
    out += " " + to_yaml_flow(node) + "\n";
  } else if (in_list) {
    // The block's first line follows the dash directly; its indentation is replaced.
    std::string block;
    write_block(node, indent + 2, block);
    out += " " + block.substr(indent + 2);
  } else {
    out += "\n";
    write_block(node, indent + 2, out);
  }
}

void write_block(const Node& node, size_t indent, std::string& out) {
  for (const auto& item : node.items()) {
    out += std::string(indent, ' ') + "-";
    write_member(item, indent, true, out);
  }
  for (const auto& [key, value] : node.entries()) {
    out += std::string(indent, ' ') + key_text(key) + ":";
    write_member(value, indent, false, out);
  }
}

}  // namespace

std::string to_yaml_flow(const Node& node) {
  if (node.is_null()) return "null";
  if (node.is_scalar()) return scalar_text(node);
  std::string out;
  for (const auto& item : node.items()) out += (out.empty() ? "" : ", ") + to_yaml_flow(item);
  for (const auto& [key, value] : node.entries()) {
    out += (out.empty() ? "" : ", ") + key_text(key) + ": " + to_yaml_flow(value);
  }
  return node.is_map() ? "{" + out + "}" : "[" + out + "]";
}

std::string to_yaml(const Node& node) {
  if (is_flat(node)) return to_yaml_flow(node) + "\n";
  std::string out;
  write_block(node, 0, out);
  return out;
}

}  // namespace ldm
