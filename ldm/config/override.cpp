#include "ldm/config/override.h"

#include <memory>
#include <string>

#include "ldm/config/scalar.h"
#include "ldm/config/yaml.h"
#include "ldm/core/error.h"

namespace ldm {
namespace {

Node* step_into_list(Node& list, std::string_view step, const std::string& where) {
  auto& items = list.items();
  const auto index = parse_index(step);
  check(index && *index <= items.size(), where, ": expected an index of 0 to ", items.size(),
        " into the list, got '", step, "'");
  if (*index == items.size()) items.emplace_back();
  return &items[*index];
}

// The node under one name of the path; made if it is not there.
Node* step_into(Node& node, std::string_view step, const std::string& where) {
  check(!step.empty(), where, ": expected names between the dots");
  if (node.is_sequence()) return step_into_list(node, step, where);
  check(node.is_map() || node.is_null(), where, ": expected a map or a list around '", step, "', got ",
        to_yaml_flow(node));
  if (Node* found = node.find(step)) return found;
  node.set(step, Node());
  return node.find(step);
}

// Errors about the new value then name the override.
void set_source_of_all(Node& node, const std::shared_ptr<const std::string>& source) {
  node.set_source(source, 0);
  for (auto& item : node.items()) set_source_of_all(item, source);
  for (auto& entry : node.entries()) set_source_of_all(entry.value, source);
}

}  // namespace

void apply_override(Node& root, std::string_view assignment, std::string_view what) {
  const auto source =
      std::make_shared<const std::string>(std::string(what) + " '" + std::string(assignment) + "'");
  const auto equals = assignment.find('=');
  check(equals != assignment.npos && equals > 0, *source, ": expected name=value");
  std::string_view path = assignment.substr(0, equals);
  const std::string_view text = assignment.substr(equals + 1);
  Node value = text.empty() ? Node::string("") : parse_yaml(text, *source);
  set_source_of_all(value, source);

  Node changed = root;  // A bad path changes nothing.
  Node* node = &changed;
  while (true) {
    const auto dot = path.find('.');
    node = step_into(*node, path.substr(0, dot), *source);
    if (dot == path.npos) break;
    path.remove_prefix(dot + 1);
  }
  *node = std::move(value);
  root = std::move(changed);
}

void merge_into(Node& base, const Node& over) {
  if (!base.is_map() || !over.is_map()) {
    base = over;
    return;
  }
  for (const auto& [key, value] : over.entries()) {
    Node* old = base.find(key);
    if (old) {
      merge_into(*old, value);
    } else {
      base.set(key, value);
    }
  }
}

}  // namespace ldm
