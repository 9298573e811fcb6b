#include "ldm/io/zip.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/io/byte_reader.h"
#include "ldm/io/printable.h"

namespace ldm {
namespace {

constexpr uint32_t kLocalMagic = 0x04034b50, kCentralMagic = 0x02014b50, kEndMagic = 0x06054b50;
constexpr uint32_t kEnd64Magic = 0x06064b50, kLocator64Magic = 0x07064b50;
constexpr uint64_t kEndBytes = 22, kLocator64Bytes = 20, kCentralBytes = 46, kMaxComment = 0xFFFF;
constexpr uint32_t kFull32 = 0xFFFFFFFF;  // "See the zip64 field".
constexpr uint16_t kFull16 = 0xFFFF;

// Where the directory lies and what it should hold.
struct Directory {
  uint64_t entries = 0, bytes = 0, offset = 0;
  uint64_t end = 0;  // Where the records behind the directory begin.
};

// The end record, searched from the end of the file; its comment must reach exactly to that end.
uint64_t find_end_record(std::span<const std::byte> bytes) {
  check(bytes.size() >= kEndBytes, ErrorKind::kFormat, "zip: expected at least ", kEndBytes, " bytes, got ",
        bytes.size());
  const uint64_t last = bytes.size() - kEndBytes;
  const uint64_t first = last > kMaxComment ? last - kMaxComment : 0;
  ByteReader reader(bytes, "zip");
  for (uint64_t at = last + 1; at-- > first;) {
    if (bytes[at] != std::byte{0x50}) continue;
    reader.seek(at);
    if (reader.number<uint32_t>() != kEndMagic) continue;
    reader.seek(at + 20);
    if (reader.number<uint16_t>() == last - at) return at;
  }
  fail(ErrorKind::kFormat, "zip: expected an end record; the archive is cut short");
}

// The zip64 end record, if the 20 bytes in front of the end record point at one.
std::optional<Directory> find_zip64(std::span<const std::byte> bytes, uint64_t end_record) {
  if (end_record < kLocator64Bytes) return std::nullopt;
  ByteReader reader(bytes.first(end_record), "zip");
  reader.seek(end_record - kLocator64Bytes);
  if (reader.number<uint32_t>() != kLocator64Magic) return std::nullopt;
  const auto disk = reader.number<uint32_t>();
  const auto at = reader.number<uint64_t>();
  const auto disks = reader.number<uint32_t>();
  check(disk == 0 && disks <= 1, ErrorKind::kFormat, "zip: archives of several disks are not read");
  reader.seek(at);
  check(reader.number<uint32_t>() == kEnd64Magic, ErrorKind::kFormat, "zip: expected a zip64 end record at ",
        at);
  reader.take(8 + 2 + 2 + 4 + 4);
  const auto here = reader.number<uint64_t>();
  Directory directory;
  directory.entries = reader.number<uint64_t>();
  check(here == directory.entries, ErrorKind::kFormat, "zip: archives of several disks are not read");
  directory.bytes = reader.number<uint64_t>();
  directory.offset = reader.number<uint64_t>();
  directory.end = at;
  return directory;
}

Directory find_directory(std::span<const std::byte> bytes, const ZipLimits& limits) {
  const uint64_t at = find_end_record(bytes);
  auto directory = find_zip64(bytes, at);
  if (!directory) {
    ByteReader reader(bytes, "zip");
    reader.seek(at + 4);
    const auto disk = reader.number<uint16_t>(), start = reader.number<uint16_t>();
    const auto here = reader.number<uint16_t>();
    directory.emplace();
    directory->entries = reader.number<uint16_t>();
    check(disk == 0 && start == 0 && here == directory->entries, ErrorKind::kFormat,
          "zip: archives of several disks are not read");
    directory->bytes = reader.number<uint32_t>();
    directory->offset = reader.number<uint32_t>();
    directory->end = at;
  }
  check(directory->entries <= limits.max_entries, ErrorKind::kFormat, "zip: expected at most ",
        limits.max_entries, " entries, got ", directory->entries);
  check(directory->bytes <= directory->end && directory->offset == directory->end - directory->bytes,
        ErrorKind::kFormat, "zip: expected the directory to end at ", directory->end, ", got ",
        directory->bytes, " bytes at ", directory->offset);
  check(directory->entries <= directory->bytes / kCentralBytes, ErrorKind::kFormat, "zip: a directory of ",
        directory->bytes, " bytes cannot hold ", directory->entries, " entries");
  return *directory;
}

// What the directory says about one entry; `local` is where its header lies.
struct CentralEntry {
  ZipEntry entry;
  uint64_t stored_bytes = 0, local = 0;
};

// Replaces the fields that are full by those of the zip64 extra field.
void read_extra(std::span<const std::byte> extra, CentralEntry& out) {
  const bool size = out.entry.size == kFull32, stored = out.stored_bytes == kFull32,
             local = out.local == kFull32;
  if (!size && !stored && !local) return;
  ByteReader reader(extra, "zip");
  while (reader.left() >= 4) {
    const auto id = reader.number<uint16_t>();
    ByteReader field(reader.take(reader.number<uint16_t>()), "zip");
    if (id != 1) continue;
    if (size) out.entry.size = field.number<uint64_t>();
    if (stored) out.stored_bytes = field.number<uint64_t>();
    if (local) out.local = field.number<uint64_t>();
    return;
  }
  fail(ErrorKind::kFormat, "zip: entry ", printable(out.entry.name), ": expected a zip64 field");
}

CentralEntry read_central(ByteReader& reader, const ZipLimits& limits) {
  check(reader.number<uint32_t>() == kCentralMagic, ErrorKind::kFormat, "zip: expected a directory entry at ",
        reader.position() - 4);
  reader.take(4);
  const auto flags = reader.number<uint16_t>(), method = reader.number<uint16_t>();
  reader.take(4);
  CentralEntry out;
  out.entry.crc32 = reader.number<uint32_t>();
  out.stored_bytes = reader.number<uint32_t>();
  out.entry.size = reader.number<uint32_t>();
  const auto name_bytes = reader.number<uint16_t>(), extra_bytes = reader.number<uint16_t>();
  const auto comment_bytes = reader.number<uint16_t>(), disk = reader.number<uint16_t>();
  reader.take(6);
  out.local = reader.number<uint32_t>();
  check(name_bytes > 0 && name_bytes <= limits.max_name_bytes, ErrorKind::kFormat,
        "zip: expected names of 1 to ", limits.max_name_bytes, " bytes, got ", name_bytes);
  out.entry.name = reader.text(name_bytes);
  const std::string shown = printable(out.entry.name);
  check(disk == 0 || disk == kFull16, ErrorKind::kFormat, "zip: entry ", shown, " lies on another disk");
  check((flags & 0x2041) == 0, ErrorKind::kFormat, "zip: entry ", shown, " is encrypted");
  check(method == 0 || method == 8, ErrorKind::kFormat, "zip: entry ", shown,
        ": expected it stored or deflated, got method ", method);
  out.entry.compressed = method == 8;
  read_extra(reader.take(extra_bytes), out);
  reader.take(comment_bytes);
  check(out.entry.compressed || out.entry.size == out.stored_bytes, ErrorKind::kFormat, "zip: entry ", shown,
        ": expected equal sizes of what is stored, got ", out.stored_bytes, " and ", out.entry.size);
  return out;
}

// Finds the data behind the header in front of it. Returns where the data ends.
uint64_t find_data(ByteReader& reader, CentralEntry& central) {
  const std::string shown = printable(central.entry.name);
  reader.seek(central.local);
  check(reader.number<uint32_t>() == kLocalMagic, ErrorKind::kFormat, "zip: entry ", shown,
        ": expected a header at ", central.local);
  reader.take(4);
  const auto method = reader.number<uint16_t>();
  check((method == 8) == central.entry.compressed && (method == 0 || method == 8), ErrorKind::kFormat,
        "zip: entry ", shown, ": its two headers name different methods");
  reader.take(16);
  const auto name_bytes = reader.number<uint16_t>(), extra_bytes = reader.number<uint16_t>();
  check(reader.text(name_bytes) == central.entry.name, ErrorKind::kFormat, "zip: entry ", shown,
        ": its two headers have different names");
  reader.take(extra_bytes);
  central.entry.data = reader.take(central.stored_bytes);
  return reader.position();
}

void check_growth(const std::vector<ZipEntry>& entries, uint64_t file_bytes, const ZipLimits& limits) {
  uint64_t most = limits.inflated_bytes, total = 0;
  if (__builtin_mul_overflow(file_bytes, limits.inflated_ratio, &most)) most = ~uint64_t{0};
  most = std::max(most, limits.inflated_bytes);
  for (const auto& entry : entries) {
    if (!entry.compressed) continue;
    const bool fits = !__builtin_add_overflow(total, entry.size, &total) && total <= most;
    check(fits, ErrorKind::kFormat, "zip: entry ", printable(entry.name), " would grow to ", entry.size,
          " bytes in a file of ", file_bytes, "; this looks like a decompression bomb");
  }
}

}  // namespace

ZipArchive::ZipArchive(std::span<const std::byte> bytes, const ZipLimits& limits) {
  const Directory directory = find_directory(bytes, limits);
  ByteReader reader(bytes.subspan(directory.offset, directory.bytes), "zip");
  ByteReader local(bytes.first(directory.offset), "zip");
  std::vector<std::pair<uint64_t, uint64_t>> extents;  // Begin and end of each entry.
  entries_.reserve(directory.entries);
  for (uint64_t i = 0; i < directory.entries; ++i) {
    auto central = read_central(reader, limits);
    const uint64_t end = find_data(local, central);
    extents.emplace_back(central.local, end);
    entries_.push_back(std::move(central.entry));
  }
  check(reader.left() == 0, ErrorKind::kFormat, "zip: expected the directory to end after ",
        directory.entries, " entries, got ", reader.left(), " more bytes");
  std::sort(extents.begin(), extents.end());
  for (size_t i = 1; i < extents.size(); ++i) {
    check(extents[i].first >= extents[i - 1].second, ErrorKind::kFormat, "zip: entries overlap at ",
          extents[i].first);
  }
  check_growth(entries_, bytes.size(), limits);
  for (size_t i = 0; i < entries_.size(); ++i) {
    check(index_.emplace(entries_[i].name, i).second, ErrorKind::kFormat, "zip: the name ",
          printable(entries_[i].name), " is there twice");
  }
}

const ZipEntry* ZipArchive::find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &entries_[found->second];
}

bool is_zip(std::span<const std::byte> bytes) {
  return bytes.size() >= 4 && ByteReader(bytes, "zip").number<uint32_t>() == kLocalMagic;
}

}  // namespace ldm
