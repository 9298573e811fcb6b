#include <gtest/gtest.h>

#include "ldm/core/error.h"
#include "ldm/io/safetensors.h"

namespace ldm {
namespace {

TEST(DType, NamesRoundTrip) {
  for (const char* name :
       {"BOOL",    "F4",          "F6_E2M3",     "F6_E3M2", "U8",  "I8",  "F8_E5M2", "F8_E4M3",
        "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "I16",     "U16", "F16", "BF16",    "I32",
        "U32",     "F32",         "C64",         "F64",     "I64", "U64"}) {
    EXPECT_EQ(dtype_name(parse_dtype(name)), name);
  }
}

TEST(DType, KnowsSizes) {
  EXPECT_EQ(dtype_bits(DType::kBool), 8);
  EXPECT_EQ(dtype_bits(DType::kF4), 4);
  EXPECT_EQ(dtype_bits(DType::kF6E2M3), 6);
  EXPECT_EQ(dtype_bits(DType::kBF16), 16);
  EXPECT_EQ(dtype_bits(DType::kF32), 32);
  EXPECT_EQ(dtype_bits(DType::kC64), 64);
}

TEST(DType, RefusesOtherNames) {
  for (const char* name : {"", "f32", "F32 ", "float32", "F128"})
    EXPECT_THROW(parse_dtype(name), Error) << name;
}

}  // namespace
}  // namespace ldm
