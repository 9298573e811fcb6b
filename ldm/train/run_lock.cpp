#include "ldm/train/run_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "ldm/core/error.h"

namespace ldm {

RunLock::RunLock(const std::filesystem::path& run)
    : folder_(::open(run.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  check(folder_ >= 0, ErrorKind::kData, "train: cannot open ", run.string(), ": ", std::strerror(errno));
  // Where the file system has no locks, training goes on without.
  if (::flock(folder_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    ::close(folder_);
    fail(ErrorKind::kUsage, "train: another program trains in ", run.string(),
         "; hint: wait for it, or name another folder with --out");
  }
}

RunLock::~RunLock() { ::close(folder_); }

}  // namespace ldm
