#include "ldm/io/gguf_blocks.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "ldm/core/error.h"
#include "ldm/io/gguf.h"

namespace ldm {
namespace {

using Block = const uint8_t*;

template <typename T>
T load(Block at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return value;
}

// IEEE half to float, by scaling: exact for every value.
float half(Block at) {
  const auto bits = load<uint16_t>(at);
  const int exponent = bits >> 10 & 31, mantissa = bits & 1023;
  const float sign = (bits & 0x8000) != 0 ? -1.F : 1.F;
  if (exponent == 31) return mantissa != 0 ? std::nanf("") : sign * INFINITY;
  return sign * (exponent == 0 ? std::ldexp(static_cast<float>(mantissa), -24)
                               : std::ldexp(static_cast<float>(mantissa + 1024), exponent - 25));
}

void float_block(Block in, float* out) { *out = load<float>(in); }
void half_block(Block in, float* out) { *out = half(in); }
void bfloat_block(Block in, float* out) {
  *out = std::bit_cast<float>(static_cast<uint32_t>(load<uint16_t>(in)) << 16);
}

// d * q, q in -128..127.
void q8_0(Block in, float* out) {
  const float d = half(in);
  for (int i = 0; i < 32; ++i) out[i] = d * static_cast<float>(static_cast<int8_t>(in[2 + i]));
}

// d * (q - 8), two numbers a byte: the first half of the block in the low four bits.
void q4_0(Block in, float* out) {
  const float d = half(in);
  for (int i = 0; i < 16; ++i) {
    out[i] = d * static_cast<float>((in[2 + i] & 15) - 8);
    out[16 + i] = d * static_cast<float>((in[2 + i] >> 4) - 8);
  }
}

// d * q + m
void q4_1(Block in, float* out) {
  const float d = half(in), m = half(in + 2);
  for (int i = 0; i < 16; ++i) {
    out[i] = d * static_cast<float>(in[4 + i] & 15) + m;
    out[16 + i] = d * static_cast<float>(in[4 + i] >> 4) + m;
  }
}

// As q4_0 and q4_1 with a fifth bit for each number, in a word of its own.
int five_bits(uint32_t high, Block low, int i) {
  const int four = i < 16 ? low[i] & 15 : low[i - 16] >> 4;
  return four | static_cast<int>(high >> i & 1) << 4;
}
void q5_0(Block in, float* out) {
  const float d = half(in);
  const auto high = load<uint32_t>(in + 2);
  for (int i = 0; i < 32; ++i) out[i] = d * static_cast<float>(five_bits(high, in + 6, i) - 16);
}
void q5_1(Block in, float* out) {
  const float d = half(in), m = half(in + 2);
  const auto high = load<uint32_t>(in + 4);
  for (int i = 0; i < 32; ++i) out[i] = d * static_cast<float>(five_bits(high, in + 8, i)) + m;
}

// Six bits each for scale and minimum of the j-th of 8 groups, in 12 bytes.
struct ScaleMin {
  float scale, min;
};
ScaleMin scale_min(int j, Block q) {
  if (j < 4) return {static_cast<float>(q[j] & 63), static_cast<float>(q[j + 4] & 63)};
  return {static_cast<float>((q[j + 4] & 15) | (q[j - 4] >> 6) << 4),
          static_cast<float>((q[j + 4] >> 4) | (q[j] >> 6) << 4)};
}

// 256 numbers in 8 groups of 32: d * scale * q - dmin * min. Groups 2k and 2k + 1 share 32 bytes.
void q4_k(Block in, float* out) {
  const float d = half(in), dmin = half(in + 2);
  for (int j = 0; j < 8; ++j) {
    const auto [scale, min] = scale_min(j, in + 4);
    const Block q = in + 16 + j / 2 * 32;
    for (int i = 0; i < 32; ++i) {
      const int value = j % 2 == 0 ? q[i] & 15 : q[i] >> 4;
      out[j * 32 + i] = d * scale * static_cast<float>(value) - dmin * min;
    }
  }
}

// As q4_k; bit j of byte i of `high` is the fifth bit of number i of group j.
void q5_k(Block in, float* out) {
  const float d = half(in), dmin = half(in + 2);
  const Block high = in + 16;
  for (int j = 0; j < 8; ++j) {
    const auto [scale, min] = scale_min(j, in + 4);
    const Block q = in + 48 + j / 2 * 32;
    for (int i = 0; i < 32; ++i) {
      const int value = (j % 2 == 0 ? q[i] & 15 : q[i] >> 4) + ((high[i] >> j & 1) << 4);
      out[j * 32 + i] = d * scale * static_cast<float>(value) - dmin * min;
    }
  }
}

// 256 numbers in 16 groups: d * scale * (q - 32). Four bits in `low`, two in `high`, one scale for 16
// numbers.
void q6_k(Block in, float* out) {
  const Block low = in, high = in + 128, scales = in + 192;
  const float d = half(in + 208);
  for (int i = 0; i < 256; ++i) {
    const int part = i / 128, row = i % 128 / 32, column = i % 32;
    const int byte = low[part * 64 + row % 2 * 32 + column];
    const int four = row < 2 ? byte & 15 : byte >> 4;
    const int two = high[part * 32 + column] >> (2 * row) & 3;
    const auto scale = static_cast<int8_t>(scales[i / 16]);
    out[i] = d * static_cast<float>(scale) * static_cast<float>((four | two << 4) - 32);
  }
}

struct BlockFormat {
  GgufType type;
  const char* name;
  GgufBlock block;
  void (*decode)(Block in, float* out);
};

constexpr BlockFormat kFormats[] = {
    {GgufType::kF32, "F32", {1, 4}, float_block},    {GgufType::kF16, "F16", {1, 2}, half_block},
    {GgufType::kBF16, "BF16", {1, 2}, bfloat_block}, {GgufType::kQ8_0, "Q8_0", {32, 34}, q8_0},
    {GgufType::kQ4_0, "Q4_0", {32, 18}, q4_0},       {GgufType::kQ4_1, "Q4_1", {32, 20}, q4_1},
    {GgufType::kQ5_0, "Q5_0", {32, 22}, q5_0},       {GgufType::kQ5_1, "Q5_1", {32, 24}, q5_1},
    {GgufType::kQ4_K, "Q4_K", {256, 144}, q4_k},     {GgufType::kQ5_K, "Q5_K", {256, 176}, q5_k},
    {GgufType::kQ6_K, "Q6_K", {256, 210}, q6_k},
};

const BlockFormat* find_format(GgufType type) {
  for (const auto& format : kFormats) {
    if (format.type == type) return &format;
  }
  return nullptr;
}

}  // namespace

std::optional<GgufBlock> find_gguf_block(uint32_t type) {
  const auto* format = find_format(static_cast<GgufType>(type));
  return format == nullptr ? std::nullopt : std::optional(format->block);
}

std::string_view gguf_type_name(GgufType type) {
  const auto* format = find_format(type);
  return format == nullptr ? "?" : format->name;
}

void dequantize(const GgufTensor& tensor, std::span<float> out) {
  const auto* format = find_format(tensor.type);
  check(format != nullptr && out.size() % format->block.elements == 0 &&
            tensor.data.size() == out.size() / format->block.elements * format->block.bytes,
        ErrorKind::kInternal, "dequantize: tensor '", tensor.name, "' does not fit the buffer");
  const auto* in = reinterpret_cast<const uint8_t*>(tensor.data.data());
  for (size_t i = 0; i < out.size(); i += format->block.elements, in += format->block.bytes)
    format->decode(in, out.data() + i);
}

}  // namespace ldm
