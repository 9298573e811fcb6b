#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace ldm {

// CRC-32C (Castagnoli polynomial, RFC 3720 appendix B.4). `seed` is the result for the bytes before these.
uint32_t crc32c(std::span<const std::byte> bytes, uint32_t seed = 0);

// The masked form that TFRecord (and so TensorBoard's event files) stores: rotated by 15 bits plus a
// constant.
uint32_t masked_crc32c(std::span<const std::byte> bytes);

}  // namespace ldm
