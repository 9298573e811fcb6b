#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ldm {

// A whole file as read-only memory. Copies share the mapping, which ends with the last of them.
// The file must not be truncated meanwhile: replace files by write_file_atomic instead, which keeps old
// mappings whole.
class MappedFile {
 public:
  MappedFile() = default;
  // Throws kData if the file cannot be opened or is not a regular file.
  explicit MappedFile(const std::filesystem::path& path);

  std::span<const std::byte> bytes() const { return {static_cast<const std::byte*>(memory_.get()), size_}; }
  // Gives the memory of these bytes back to the system, page by page; it is read again if somebody looks.
  static void give_back(std::span<const std::byte> bytes);
  // Keeps the memory alive for as long as it is held; null for an empty file.
  const std::shared_ptr<const void>& owner() const { return memory_; }

 private:
  std::shared_ptr<const void> memory_;
  size_t size_ = 0;
};

// The whole content. Throws kData if the file cannot be read, kFormat if it is larger than max_bytes.
std::vector<std::byte> read_file(const std::filesystem::path& path, uint64_t max_bytes);
std::string read_text(const std::filesystem::path& path, uint64_t max_bytes = 16 << 20);

// What becomes of a file that has the name already, even if it came while the new one was written.
enum class IfThere { kReplace, kRefuse };

// A file that appears under its name only when it is complete: written to a temporary name beside it, synced
// to the disk, renamed over the old file, and the folder synced. Whatever fails before (no space, a crash),
// the old file stays. All functions throw kData.
class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& path);
  ~AtomicFile();  // Without commit(): removes the temporary file.
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  void commit(IfThere rule = IfThere::kReplace);

 private:
  std::filesystem::path path_, temporary_;
  int descriptor_ = -1;
};

void write_file_atomic(const std::filesystem::path& path, std::span<const std::byte> bytes,
                       IfThere rule = IfThere::kReplace);
void write_file_atomic(const std::filesystem::path& path, std::string_view text,
                       IfThere rule = IfThere::kReplace);

// Renames a file or a folder over `to` (which may exist if it is a file or an empty folder) and syncs the
// folder around it. Throws kData.
void rename_synced(const std::filesystem::path& from, const std::filesystem::path& to);

// Brings a folder's list of names to the disk. Throws kData.
void sync_folder(const std::filesystem::path& folder);

// The bytes of a text, for parsers.
inline std::span<const std::byte> as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace ldm
