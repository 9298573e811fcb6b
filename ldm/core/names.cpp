#include "ldm/core/names.h"

#include <algorithm>
#include <vector>

namespace ldm {
namespace {

constexpr size_t kMaxLength =
    256;  // Longer names come from hostile files; comparing them would cost and not help.

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

}  // namespace

int64_t edit_distance(std::string_view a, std::string_view b) {
  // Rows i-2, i-1 and i of the table of distances between the first i bytes of a and the first j of b.
  std::vector<int64_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = static_cast<int64_t>(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = static_cast<int64_t>(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

std::string nearest_name(std::string_view name, std::span<const std::string> candidates) {
  if (name.size() > kMaxLength) return "";
  const std::string wanted = lower(name);
  const std::string* best = nullptr;
  int64_t best_distance = 0;
  for (const auto& candidate : candidates) {
    if (candidate.size() > kMaxLength) continue;
    const int64_t distance = edit_distance(wanted, lower(candidate));
    const auto longer = static_cast<int64_t>(std::max(name.size(), candidate.size()));
    const bool near = 3 * distance <= longer || (distance == 1 && longer > 1);
    if (near && (!best || distance < best_distance)) {
      best = &candidate;
      best_distance = distance;
    }
  }
  return best ? *best : "";
}

std::string nearest_hint(std::string_view name, std::span<const std::string> candidates) {
  const std::string nearest = nearest_name(name, candidates);
  return nearest.empty() ? "" : "; did you mean '" + nearest + "'?";
}

std::string join_names(std::span<const std::string> names, std::string_view separator) {
  std::string result;
  for (const auto& name : names) {
    if (&name != names.data()) result += separator;
    result += name;
  }
  return result;
}

}  // namespace ldm
