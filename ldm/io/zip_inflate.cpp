#include <zlib.h>

#include <algorithm>
#include <limits>

#include "ldm/core/error.h"
#include "ldm/io/printable.h"
#include "ldm/io/zip.h"

namespace ldm {
namespace {

// zlib's decoder for raw deflate data.
class Inflater {
 public:
  explicit Inflater(std::span<const std::byte> bytes) : bytes_(bytes) {
    check(inflateInit2(&stream_, -MAX_WBITS) == Z_OK, ErrorKind::kInternal, "zip: zlib does not start");
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // Fills `out` as far as there is something; returns how much. done() tells the end, failed() an error.
  size_t read(std::span<std::byte> out) {
    constexpr size_t kMost = std::numeric_limits<uInt>::max();
    size_t written = 0;
    while (written < out.size() && status_ == Z_OK) {
      const auto room = static_cast<uInt>(std::min(out.size() - written, kMost));
      const auto given = static_cast<uInt>(std::min(bytes_.size(), kMost));
      stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes_.data()));
      stream_.avail_in = given;
      stream_.next_out = reinterpret_cast<Bytef*>(out.data() + written);
      stream_.avail_out = room;
      status_ = inflate(&stream_, Z_NO_FLUSH);
      bytes_ = bytes_.subspan(given - stream_.avail_in);
      written += room - stream_.avail_out;
    }
    return written;
  }
  bool done() const { return status_ == Z_STREAM_END && bytes_.empty(); }

 private:
  std::span<const std::byte> bytes_;
  z_stream stream_{};
  int status_ = Z_OK;
};

std::vector<std::byte> inflate_entry(const ZipEntry& entry) {
  constexpr size_t kFirst = 1 << 16;
  Inflater inflater(entry.data);
  std::vector<std::byte> out;
  size_t filled = 0;
  while (filled < entry.size) {
    out.resize(std::min<uint64_t>(entry.size, std::max(kFirst, filled * 2)));
    const size_t got = inflater.read(std::span(out).subspan(filled));
    filled += got;
    check(filled == out.size(), ErrorKind::kFormat, "zip: entry ", printable(entry.name), ": expected ",
          entry.size, " bytes, got ", filled, "; the compressed data is broken");
  }
  std::byte beyond{};
  const bool more = inflater.read({&beyond, 1}) != 0;
  check(!more && inflater.done(), ErrorKind::kFormat, "zip: entry ", printable(entry.name),
        ": the compressed data does not end after ", entry.size, " bytes");
  return out;
}

void check_crc(const ZipEntry& entry, std::span<const std::byte> content) {
  if (!entry.compressed && entry.crc32 == 0) return;
  const auto crc =
      crc32_z(crc32_z(0, nullptr, 0), reinterpret_cast<const Bytef*>(content.data()), content.size());
  check(crc == entry.crc32, ErrorKind::kFormat, "zip: entry ", printable(entry.name),
        ": its checksum is wrong; the file is damaged");
}

}  // namespace

std::vector<std::byte> read_zip_entry(const ZipEntry& entry) {
  auto out =
      entry.compressed ? inflate_entry(entry) : std::vector<std::byte>(entry.data.begin(), entry.data.end());
  check_crc(entry, out);
  return out;
}

void check_zip_content(const ZipArchive& archive) {
  for (const auto& entry : archive.entries()) {
    if (entry.compressed)
      read_zip_entry(entry);
    else
      check_crc(entry, entry.data);
  }
}

}  // namespace ldm
