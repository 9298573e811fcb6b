#pragma once

#include <filesystem>

namespace ldm {

// A new folder beside `target`, under a name of its own (".NAME.tmp-PROCESS-NUMBER"), for what shall stand
// there when it is complete. Goes with its content unless it was renamed. Throws kData.
class ScratchFolder {
 public:
  explicit ScratchFolder(const std::filesystem::path& target);
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Puts the folder `from` in the place of `to`, on one file system. A folder already there is exchanged with
// it in one instant (where the system can, otherwise in two renames) and then removed. Throws kData.
void replace_folder(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace ldm
