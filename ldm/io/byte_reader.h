#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "ldm/core/error.h"

namespace ldm {

static_assert(std::endian::native == std::endian::little, "files are read as the processor stores numbers");

// Walks over untrusted bytes: every step is checked against what is left. Throws kFormat with a line that
// begins with `what` ("zip", "gguf", ...). The bytes must outlive it.
class ByteReader {
 public:
  ByteReader(std::span<const std::byte> bytes, std::string what) : bytes_(bytes), what_(std::move(what)) {}

  uint64_t position() const { return position_; }
  uint64_t left() const { return bytes_.size() - position_; }
  const std::string& what() const { return what_; }

  void seek(uint64_t position) {
    check(position <= bytes_.size(), ErrorKind::kFormat, what_, ": expected a place inside the file's ",
          bytes_.size(), " bytes, got ", position);
    position_ = position;
  }

  std::span<const std::byte> take(uint64_t count) {
    check(count <= left(), ErrorKind::kFormat, what_, ": expected ", count, " more bytes at ", position_,
          ", got ", left(), "; the file is cut short or lies about a size");
    const auto out = bytes_.subspan(position_, count);
    position_ += count;
    return out;
  }

  std::string_view text(uint64_t count) {
    const auto taken = take(count);
    return {reinterpret_cast<const char*>(taken.data()), taken.size()};
  }

  // What stands before the next line feed, which is passed over.
  std::string_view line() {
    const auto rest = bytes_.subspan(position_);
    const auto* end = rest.empty() ? nullptr : std::memchr(rest.data(), '\n', rest.size());
    check(end != nullptr, ErrorKind::kFormat, what_, ": expected a line at ", position_,
          ", got no end of line");
    const auto out = text(static_cast<uint64_t>(static_cast<const std::byte*>(end) - rest.data()));
    ++position_;
    return out;
  }

  // A little-endian number of any built-in type.
  template <typename T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }

 private:
  std::span<const std::byte> bytes_;
  std::string what_;
  uint64_t position_ = 0;
};

}  // namespace ldm
