#include "ldm/io/folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>

#include "ldm/core/error.h"
#include "ldm/io/file.h"

namespace ldm {
namespace {

namespace fs = std::filesystem;

// A name beside `target` that no other process and no other call has.
fs::path scratch_name(const fs::path& target) {
  static std::atomic<uint64_t> count{0};
  const auto name =
      "." + target.filename().string() + ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(count++);
  return target.parent_path() / name;
}

[[noreturn]] void fail_folder(const char* what, const fs::path& path, const std::error_code& code) {
  fail(ErrorKind::kData, what, " '", path.string(), "': ", code.message());
}

}  // namespace

ScratchFolder::ScratchFolder(const fs::path& target) : path_(scratch_name(target)) {
  std::error_code code;
  if (target.has_parent_path()) fs::create_directories(target.parent_path(), code);
  if (!code) fs::create_directory(path_, code);
  if (code) fail_folder("cannot make a folder beside", target, code);
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void replace_folder(const fs::path& from, const fs::path& to) {
  if (!fs::exists(to)) return rename_synced(from, to);
  const int result = ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_EXCHANGE);
  fs::path old = from;
  if (result != 0) {
    const bool unable = errno == EINVAL || errno == ENOSYS;
    if (!unable) fail_folder("cannot replace", to, std::error_code(errno, std::generic_category()));
    old = scratch_name(to);
    rename_synced(to, old);
    rename_synced(from, to);
  }
  sync_folder(to.has_parent_path() ? to.parent_path() : fs::path("."));
  std::error_code code;
  fs::remove_all(old, code);
  if (code) fail_folder("replaced the folder, but cannot remove the old one", old, code);
}

}  // namespace ldm
