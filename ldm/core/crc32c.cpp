#include "ldm/core/crc32c.h"

#include <array>
#include <bit>

namespace ldm {
namespace {

constexpr std::array<uint32_t, 256> make_crc32c_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = crc & 1 ? crc >> 1 ^ 0x82F63B78u : crc >> 1;
    table[i] = crc;
  }
  return table;
}
constexpr auto kCrc32cTable = make_crc32c_table();

}  // namespace

uint32_t crc32c(std::span<const std::byte> bytes, uint32_t seed) {
  uint32_t crc = ~seed;
  for (const std::byte b : bytes) crc = crc >> 8 ^ kCrc32cTable[(crc ^ std::to_integer<uint32_t>(b)) & 0xFF];
  return ~crc;
}

uint32_t masked_crc32c(std::span<const std::byte> bytes) {
  return std::rotr(crc32c(bytes), 15) + 0xA282EAD8u;
}

}  // namespace ldm
