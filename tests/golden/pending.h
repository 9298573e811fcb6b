#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace ldm::golden {

// The list of what the program does not do yet. One entry a line, comments from #: a kind ("lora"), a value
// of a kind
// ("sampler_k:lms"), an output of a kind ("sigmas/vp") or the name of a case. The list only shrinks.
class PendingList {
 public:
  // A path that does not exist gives an empty list.
  explicit PendingList(const std::filesystem::path& path);

  // Whether any of these entries is listed; listed ones are remembered as needed.
  bool excuses(const std::vector<std::string>& entries);

  // Entries that excused nothing: what they name works now.
  std::vector<std::string> stale() const;

 private:
  std::map<std::string, bool> needed_;
};

}  // namespace ldm::golden
