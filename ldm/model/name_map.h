#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ldm {

// Two names for each of a model's modules: ours, which are the original's, and another library's. A tensor's
// name begins with its module's; what follows is the same in both ("...proj" + ".weight").
class NameMap {
 public:
  void add(const std::string& ours, const std::string& theirs);
  // A further name that the other library has used, for reading only.
  void add_old(const std::string& ours, const std::string& theirs);

  // The longest module name that begins `name` and ends before a dot or at the end decides. Nothing if none
  // does.
  std::optional<std::string> to_ours(std::string_view name) const;
  std::optional<std::string> to_theirs(std::string_view name) const;

  const std::vector<std::pair<std::string, std::string>>& modules() const {
    return modules_;
  }  // ours, theirs

 private:
  std::vector<std::pair<std::string, std::string>> modules_;
  std::unordered_map<std::string, std::string> ours_, theirs_;  // By the other's name.
};

}  // namespace ldm
