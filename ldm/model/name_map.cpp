#include "ldm/model/name_map.h"

namespace ldm {
namespace {

std::optional<std::string> translate(const std::unordered_map<std::string, std::string>& table,
                                     std::string_view name) {
  for (size_t end = name.size(); end != std::string_view::npos && end > 0; end = name.rfind('.', end - 1)) {
    const auto found = table.find(std::string(name.substr(0, end)));
    if (found != table.end()) return found->second + std::string(name.substr(end));
  }
  return std::nullopt;
}

}  // namespace

void NameMap::add(const std::string& ours, const std::string& theirs) {
  modules_.emplace_back(ours, theirs);
  theirs_[ours] = theirs;
  ours_[theirs] = ours;
}

void NameMap::add_old(const std::string& ours, const std::string& theirs) { ours_[theirs] = ours; }

std::optional<std::string> NameMap::to_ours(std::string_view name) const { return translate(ours_, name); }
std::optional<std::string> NameMap::to_theirs(std::string_view name) const {
  return translate(theirs_, name);
}

}  // namespace ldm
