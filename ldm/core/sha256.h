#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace ldm {

// SHA-256 (FIPS 180-4) of bytes that come piece by piece.
class Sha256 {
 public:
  void update(std::span<const std::byte> bytes);
  std::array<std::byte, 32> digest() const;  // Of all bytes so far; more may follow.
  std::string hex() const;                   // The digest as 64 lower-case hexadecimal digits.

 private:
  std::array<uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::byte, 64> pending_{};
  uint64_t size_ = 0;  // Bytes so far.
};

std::string sha256_hex(std::span<const std::byte> bytes);

}  // namespace ldm
