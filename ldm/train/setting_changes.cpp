#include "ldm/train/setting_changes.h"

#include <utility>

namespace ldm {
namespace {

std::string value_of(const Node* node) {
  if (node == nullptr || node->is_null()) return "nothing";
  return node->is_scalar() ? (node->text().empty() ? "''" : node->text()) : std::string(node->kind_name());
}

void compare_settings(const Node* before, const Node* after, const std::string& path,
                      std::vector<std::string>& out) {
  const bool maps = before != nullptr && after != nullptr && before->is_map() && after->is_map();
  if (!maps) {
    const bool same = before != nullptr && after != nullptr ? *before == *after : before == after;
    if (!same) out.push_back(path + " " + value_of(before) + " -> " + value_of(after));
    return;
  }
  const auto inner = [&](const std::string& key) { return path.empty() ? key : path + "." + key; };
  for (const auto& entry : after->entries())
    compare_settings(before->find(entry.key), &entry.value, inner(entry.key), out);
  for (const auto& entry : before->entries()) {
    if (after->find(entry.key) == nullptr) compare_settings(&entry.value, nullptr, inner(entry.key), out);
  }
}

}  // namespace

std::vector<std::string> changed_settings(const Node& before, const Node& after) {
  std::vector<std::string> out;
  compare_settings(&before, &after, "", out);
  return out;
}

}  // namespace ldm
