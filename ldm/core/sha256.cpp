#include "ldm/core/sha256.h"

#include <algorithm>

#include "ldm/core/sha256_blocks.h"

namespace ldm {
void Sha256::update(std::span<const std::byte> bytes) {
  const size_t used = size_ % 64;
  size_ += bytes.size();
  if (used > 0) {
    const size_t take = std::min(64 - used, bytes.size());
    std::copy_n(bytes.begin(), take, pending_.begin() + static_cast<std::ptrdiff_t>(used));
    bytes = bytes.subspan(take);
    if (used + take < 64) return;
    sha256_blocks(state_, pending_);
  }
  const size_t whole = bytes.size() / 64 * 64;
  sha256_blocks(state_, bytes.first(whole));
  bytes = bytes.subspan(whole);
  std::copy(bytes.begin(), bytes.end(), pending_.begin());
}

std::array<std::byte, 32> Sha256::digest() const {
  Sha256 last = *this;
  const uint64_t bits = size_ * 8;
  // A one bit, zeros, and the length fill the last block or two.
  std::array<std::byte, 128> tail{std::byte{0x80}};
  const size_t zeros_end = (size_ % 64 < 56 ? 56 : 120) - size_ % 64;
  for (size_t i = 0; i < 8; ++i) tail[zeros_end + i] = static_cast<std::byte>(bits >> (56 - 8 * i));
  last.update(std::span(tail).first(zeros_end + 8));

  std::array<std::byte, 32> result;
  for (size_t i = 0; i < 32; ++i)
    result[i] = static_cast<std::byte>(last.state_[i / 4] >> (24 - 8 * (i % 4)));
  return result;
}

std::string Sha256::hex() const {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const std::byte b : digest()) {
    text += kDigits[std::to_integer<unsigned>(b) >> 4];
    text += kDigits[std::to_integer<unsigned>(b) & 15];
  }
  return text;
}

std::string sha256_hex(std::span<const std::byte> bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.hex();
}

}  // namespace ldm
