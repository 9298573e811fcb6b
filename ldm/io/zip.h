#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace ldm {

struct ZipLimits {
  uint64_t max_entries = 200'000;
  uint64_t max_name_bytes = 1024;
  // All compressed entries together may grow to this and to this multiple of the file's size.
  uint64_t inflated_bytes = 64 << 20;
  uint64_t inflated_ratio = 32;
};

struct ZipEntry {
  std::string name;
  bool compressed = false;          // Deflate; otherwise stored as it is.
  uint32_t crc32 = 0;               // Of the content.
  uint64_t size = 0;                // Of the content.
  std::span<const std::byte> data;  // As it lies in the archive.
};

// A zip archive in memory (zip64 too), of which nothing is believed: entries lie inside the file, do not
// overlap, have distinct names, the same name in the directory and in front of their data, and are stored or
// deflated. Several disks and encryption are refused. Throws kFormat. Source: PKWARE APPNOTE 6.3.10.
class ZipArchive {
 public:
  explicit ZipArchive(std::span<const std::byte> bytes, const ZipLimits& limits = {});
  ZipArchive(const ZipArchive&) = delete;
  ZipArchive& operator=(const ZipArchive&) = delete;

  const std::vector<ZipEntry>& entries() const { return entries_; }  // In the order of the directory.
  const ZipEntry* find(std::string_view name) const;                 // Null if there is none.

 private:
  std::vector<ZipEntry> entries_;
  std::unordered_map<std::string_view, size_t> index_;
};

// Whether the bytes begin as a zip archive with at least one entry does.
bool is_zip(std::span<const std::byte> bytes);

// The content, its CRC compared. Memory is taken as it comes out, not as the archive promises. A stored entry
// whose CRC is 0 has none: torch.save can leave them out. Throws kFormat.
std::vector<std::byte> read_zip_entry(const ZipEntry& entry);

// Compares the CRC of every entry, which reads the whole archive. Tensors are looked at where they lie, and
// nobody else compares theirs. Throws kFormat naming the first that is damaged.
void check_zip_content(const ZipArchive& archive);

}  // namespace ldm
