#include "tests/golden/pending.h"

#include <fstream>

namespace ldm::golden {

PendingList::PendingList(const std::filesystem::path& path) {
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    line = line.substr(0, line.find('#'));
    const auto first = line.find_first_not_of(" \t\r");
    if (first == std::string::npos) continue;
    needed_[line.substr(first, line.find_last_not_of(" \t\r") - first + 1)] = false;
  }
}

bool PendingList::excuses(const std::vector<std::string>& entries) {
  bool found = false;
  for (const auto& entry : entries) {
    const auto it = needed_.find(entry);
    if (it == needed_.end()) continue;
    it->second = true;
    found = true;
  }
  return found;
}

std::vector<std::string> PendingList::stale() const {
  std::vector<std::string> out;
  for (const auto& [entry, needed] : needed_) {
    if (!needed) out.push_back(entry);
  }
  return out;
}

}  // namespace ldm::golden
