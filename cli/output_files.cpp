#include "cli/output_files.h"

#include <unistd.h>

#include "ldm/core/error.h"
#include "ldm/io/file.h"

namespace ldm::cli {
namespace {

namespace fs = std::filesystem;

fs::path folder_of(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

// Whether the folder can be written in, or made: then the nearest one above it that is there counts.
void check_folder(const fs::path& folder) {
  auto there = folder;
  std::error_code ignored;
  while (!fs::exists(there, ignored) && there.has_relative_path()) there = folder_of(there);
  check(fs::is_directory(there, ignored), ErrorKind::kData, folder.string(),
        ": cannot make this folder: ", there.string(), " is no folder");
  check(access(there.c_str(), W_OK | X_OK) == 0, ErrorKind::kData, "no permission to write in ",
        there == "." ? "the current folder" : there.string());
}

}  // namespace

fs::path OutputFiles::place_of(const fs::path& file) {
  const auto folder = folder_of(file);
  auto found = canonical_.find(folder);
  if (found == canonical_.end()) {
    check_folder(folder);
    found = canonical_.emplace(folder, fs::weakly_canonical(fs::absolute(folder))).first;
  }
  return found->second / file.filename();
}

void OutputFiles::plan(const fs::path& file, const std::string& option, bool replace) {
  const auto place = place_of(file);
  const auto [planned, is_new] = planned_.emplace(place, option);
  check(is_new, option, ": ", file.string(), " is written already, as ", planned->second,
        " says; hint: another name for one of them");
  bool holds = holders_.contains(place);
  for (auto folder = place.parent_path(); holders_.insert(folder).second; folder = folder.parent_path())
    holds = holds || planned_.contains(folder);
  check(!holds, option, ": ", file.string(), " is a file and a folder of this run at once");
  std::error_code ignored;
  const auto there = fs::symlink_status(file, ignored);
  check(!fs::is_directory(fs::status(file, ignored)), option, ": ", file.string(),
        " is a folder; hint: the name of a file in it");
  check(force_ || replace || !fs::exists(there), option, ": ", file.string(),
        " is there already; hint: --force writes over it, or give another name");
  if (force_ || replace) replaceable_.insert(file);
}

void OutputFiles::make_folders(const fs::path& file) const {
  std::error_code error;
  fs::create_directories(folder_of(file), error);
  check(!error, ErrorKind::kData, folder_of(file).string(), ": cannot make this folder: ", error.message());
}

void OutputFiles::write(const fs::path& file, std::span<const std::byte> bytes) {
  make_folders(file);
  write_file_atomic(file, bytes, replaceable_.contains(file) ? IfThere::kReplace : IfThere::kRefuse);
  replaceable_.insert(file);
}

}  // namespace ldm::cli
