#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace ldm {

// The compression function of SHA-256 (FIPS 180-4, Sec. 6.2.2) over whole blocks of 64 bytes; with the
// instructions that x86 processors have for it, where they do.
void sha256_blocks(std::array<uint32_t, 8>& state, std::span<const std::byte> blocks);

// The same without them.
void sha256_blocks_portable(std::array<uint32_t, 8>& state, std::span<const std::byte> blocks);

}  // namespace ldm
