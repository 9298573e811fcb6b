#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <set>
#include <span>
#include <string>

namespace ldm::cli {

// The files that one run will write. All are planned before anything is drawn, so that what would go wrong
// then is refused at once; nothing is made on the disk before the first write.
class OutputFiles {
 public:
  // force: files that are there are written over.
  explicit OutputFiles(bool force) : force_(force) {}

  // `option` is who asks for it ("--preview"); `replace`: this one may be there even without force. Throws
  // kUsage for the name of a folder, of a file that is there, and of another file of this run; kData where
  // its folder cannot be made or written in.
  void plan(const std::filesystem::path& file, const std::string& option, bool replace = false);

  // Makes the folders of a planned file.
  void make_folders(const std::filesystem::path& file) const;

  // Writes a planned file as a whole, again and again if need be. Throws kData from the disk, and where
  // somebody else made the file since it was planned.
  void write(const std::filesystem::path& file, std::span<const std::byte> bytes);

 private:
  // Where it lies in the end: two names of one file have one place.
  std::filesystem::path place_of(const std::filesystem::path& file);

  bool force_;
  std::map<std::filesystem::path, std::string> planned_;              // Places, and who asked for them.
  std::set<std::filesystem::path> holders_;                           // Folders of places, up to the root.
  std::map<std::filesystem::path, std::filesystem::path> canonical_;  // Folders as typed, and their places.
  std::set<std::filesystem::path> replaceable_;                       // As they were planned.
};

}  // namespace ldm::cli
