#include "ldm/config/node.h"

#include <algorithm>
#include <utility>

#include "ldm/config/scalar.h"
#include "ldm/core/error.h"
#include "ldm/core/names.h"

namespace ldm {
namespace {

std::vector<std::string> keys_of(const Node& node) {
  std::vector<std::string> keys;
  for (const auto& entry : node.entries()) keys.push_back(entry.key);
  return keys;
}

}  // namespace

Node Node::scalar(std::string text) {
  Node node;
  node.kind_ = Kind::kScalar;
  node.text_ = std::move(text);
  return node;
}

Node Node::string(std::string text) {
  Node node = scalar(std::move(text));
  node.quoted_ = true;
  return node;
}

Node Node::boolean(bool value) { return scalar(value ? "true" : "false"); }
Node Node::integer(int64_t value) { return scalar(std::to_string(value)); }
Node Node::number(double value) { return scalar(format_double(value)); }

Node Node::sequence() { return sequence(std::vector<Node>()); }

Node Node::sequence(std::vector<Node> items) {
  Node node;
  node.kind_ = Kind::kSequence;
  node.items_ = std::move(items);
  return node;
}

Node Node::map() {
  Node node;
  node.kind_ = Kind::kMap;
  return node;
}

std::string_view Node::kind_name() const {
  switch (kind_) {
    case Kind::kNull:
      return "null";
    case Kind::kScalar:
      return "a scalar";
    case Kind::kSequence:
      return "a list";
    case Kind::kMap:
      return "a map";
  }
  return "?";
}

void Node::push_back(Node item) {
  check(is_sequence(), ErrorKind::kInternal, "Node::push_back: expected a list, got ", kind_name());
  items_.push_back(std::move(item));
}

const Node* Node::find(std::string_view key) const {
  const auto entry =
      std::find_if(entries_.begin(), entries_.end(), [&](const NodeEntry& e) { return e.key == key; });
  return entry == entries_.end() ? nullptr : &entry->value;
}

Node* Node::find(std::string_view key) { return const_cast<Node*>(std::as_const(*this).find(key)); }

const Node& Node::at(std::string_view key) const {
  const Node* found = find(key);
  if (!found) {
    fail(ErrorKind::kUsage, where(), where().empty() ? "" : ": ", "expected the key '", key, "' in ",
         kind_name(), nearest_hint(key, keys_of(*this)));
  }
  return *found;
}

void Node::set(std::string_view key, Node value) {
  if (is_null()) kind_ = Kind::kMap;
  check(is_map(), ErrorKind::kInternal, "Node::set: expected a map, got ", kind_name());
  if (Node* found = find(key)) {
    *found = std::move(value);
  } else {
    entries_.push_back({std::string(key), std::move(value)});
  }
}

bool Node::erase(std::string_view key) {
  return std::erase_if(entries_, [&](const NodeEntry& e) { return e.key == key; }) > 0;
}

const Node* Node::find_path(std::string_view dotted) const {
  const Node* node = this;
  while (node && !dotted.empty()) {
    const auto dot = dotted.find('.');
    const auto step = dotted.substr(0, dot);
    dotted = dot == dotted.npos ? "" : dotted.substr(dot + 1);
    if (node->is_sequence()) {
      const auto index = parse_index(step);
      node = index && *index < node->items_.size() ? &node->items_[*index] : nullptr;
    } else {
      node = node->find(step);
    }
  }
  return node;
}

std::string Node::where() const {
  if (!source_) return "";
  return line_ > 0 ? *source_ + ":" + std::to_string(line_) : *source_;
}

void Node::set_source(std::shared_ptr<const std::string> source, int64_t line) {
  source_ = std::move(source);
  line_ = line;
}

bool Node::operator==(const Node& other) const {
  return kind_ == other.kind_ && quoted_ == other.quoted_ && text_ == other.text_ && items_ == other.items_ &&
         entries_ == other.entries_;
}

}  // namespace ldm
