#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ldm {

// Eight bytes, little-endian.
inline std::string length_bytes(uint64_t length) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(length >> (8 * i));
  return bytes;
}

// A file of that header and `data_size` bytes 0, 1, 2, ... of data.
inline std::string make_file(std::string_view header, size_t data_size) {
  std::string file = length_bytes(header.size()) + std::string(header);
  for (size_t i = 0; i < data_size; ++i) file += static_cast<char>(i);
  return file;
}

}  // namespace ldm
