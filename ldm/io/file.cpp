#include "ldm/io/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <system_error>

#include "ldm/core/error.h"

namespace ldm {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail_errno(const char* what, const fs::path& path) {
  fail(ErrorKind::kData, what, " '", path.string(), "': ", std::generic_category().message(errno));
}

// The same while a new file is written, with what can be done about it and what is left.
[[noreturn]] void fail_write(const char* what, const fs::path& path) {
  const int code = errno;
  std::error_code ignored;
  const bool full = code == ENOSPC || code == EDQUOT;
  fail(ErrorKind::kData, what, " '", path.string(), "': ", std::generic_category().message(code),
       full             ? "; hint: free some space"
       : code == EFBIG  ? "; hint: ulimit -f says how large a file may be"
       : code == EEXIST ? ", though it was not when the run began; nothing was written over"
                        : "",
       code != EEXIST && fs::exists(path, ignored) ? "; the old file is kept" : "");
}

// Renames unless there is a file of the new name: false, and errno says why. Where the file system cannot do
// so in one call, the name is taken by an empty file first.
bool rename_to_free(const fs::path& from, const fs::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return true;
  if (errno != EINVAL && errno != ENOSYS) return false;
  const int taken = ::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (taken < 0) return false;
  ::close(taken);
  if (::rename(from.c_str(), to.c_str()) == 0) return true;
  const int code = errno;
  ::unlink(to.c_str());
  errno = code;
  return false;
}

// A descriptor that closes itself.
class Descriptor {
 public:
  Descriptor(const fs::path& path, int flags) : number_(::open(path.c_str(), flags | O_CLOEXEC)) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

// Size in bytes; refuses what is not a regular file, since its size says nothing (and a pipe would block).
uint64_t regular_size(const Descriptor& file, const fs::path& path) {
  struct stat status {};
  if (::fstat(file.number(), &status) != 0) fail_errno("cannot read", path);
  check(S_ISREG(status.st_mode), ErrorKind::kData, "cannot read '", path.string(),
        "': expected a regular file, got a ", S_ISDIR(status.st_mode) ? "folder" : "device or pipe");
  return static_cast<uint64_t>(status.st_size);
}

template <typename Buffer>
Buffer read_whole(const fs::path& path, uint64_t max_bytes) {
  const Descriptor file(path, O_RDONLY | O_NONBLOCK);
  if (file.number() < 0) fail_errno("cannot open", path);
  const uint64_t size = regular_size(file, path);
  check(size <= max_bytes, ErrorKind::kFormat, "cannot read '", path.string(), "': expected at most ",
        max_bytes, " bytes, got ", size);
  Buffer content(size, {});
  size_t done = 0;
  while (done < content.size()) {
    const auto got = ::read(file.number(), content.data() + done, content.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_errno("cannot read", path);
    if (got == 0) break;  // Somebody truncated it meanwhile.
    done += static_cast<size_t>(got);
  }
  content.resize(done);
  return content;
}

fs::path parent_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

}  // namespace

MappedFile::MappedFile(const fs::path& path) {
  const Descriptor file(path, O_RDONLY | O_NONBLOCK);
  if (file.number() < 0) fail_errno("cannot open", path);
  const size_t size = regular_size(file, path);
  if (size == 0) return;
  void* memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.number(), 0);
  if (memory == MAP_FAILED) fail_errno("cannot map", path);
  memory_ =
      std::shared_ptr<const void>(memory, [size](const void* p) { ::munmap(const_cast<void*>(p), size); });
  size_ = size;
}

void MappedFile::give_back(std::span<const std::byte> bytes) {
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto first = reinterpret_cast<uintptr_t>(bytes.data());
  const uintptr_t begin = (first + page - 1) / page * page, end = (first + bytes.size()) / page * page;
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

std::vector<std::byte> read_file(const fs::path& path, uint64_t max_bytes) {
  return read_whole<std::vector<std::byte>>(path, max_bytes);
}

std::string read_text(const fs::path& path, uint64_t max_bytes) {
  return read_whole<std::string>(path, max_bytes);
}

AtomicFile::AtomicFile(const fs::path& path) : path_(path) {
  // Renaming would put a file in the place of a device.
  std::error_code error;
  const auto there = fs::symlink_status(path, error);
  const bool other = fs::exists(there) && !fs::is_regular_file(there) && !fs::is_symlink(there);
  check(!other || fs::is_directory(there), ErrorKind::kData, path.string(),
        ": is a device or a pipe; expected the name of a file");
  static std::atomic<uint64_t> count{0};
  temporary_ = parent_of(path) / ("." + path.filename().string() + ".tmp-" + std::to_string(::getpid()) +
                                  "-" + std::to_string(count++));
  descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail_write("cannot create", path_);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  check(descriptor_ >= 0, ErrorKind::kInternal, "AtomicFile::write: '", path_.string(),
        "' is committed already");
  while (!bytes.empty()) {
    const auto written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_write("cannot write", path_);
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
}

void AtomicFile::write(std::string_view text) { write(as_bytes(text)); }

void AtomicFile::commit(IfThere rule) {
  check(descriptor_ >= 0, ErrorKind::kInternal, "AtomicFile::commit: '", path_.string(),
        "' is committed already");
  if (::fsync(descriptor_) != 0) fail_write("cannot sync", path_);
  const bool renamed = rule == IfThere::kRefuse ? rename_to_free(temporary_, path_)
                                                : ::rename(temporary_.c_str(), path_.c_str()) == 0;
  if (!renamed) fail_write("cannot write", path_);
  ::close(descriptor_);
  descriptor_ = -1;
  sync_folder(parent_of(path_));
}

void write_file_atomic(const fs::path& path, std::span<const std::byte> bytes, IfThere rule) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit(rule);
}

void write_file_atomic(const fs::path& path, std::string_view text, IfThere rule) {
  write_file_atomic(path, as_bytes(text), rule);
}

void rename_synced(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) fail_errno("cannot rename to", to);
  sync_folder(parent_of(to));
}

void sync_folder(const fs::path& folder) {
  const Descriptor file(folder, O_RDONLY | O_DIRECTORY);
  if (file.number() < 0) fail_errno("cannot open folder", folder);
  // Some network and overlay file systems do not sync folders and say so; there is nothing more to be done
  // then.
  if (::fsync(file.number()) != 0 && errno != EINVAL && errno != ENOTSUP)
    fail_errno("cannot sync folder", folder);
}

}  // namespace ldm
