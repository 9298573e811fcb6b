#include "ldm/core/device.h"

#include <gtest/gtest.h>

#include "ldm/core/error.h"

namespace ldm {
namespace {

TEST(Device, NamesRoundTrip) {
  EXPECT_EQ(parse_device("cuda"), (DeviceName{DeviceKind::kCuda, 0}));
  for (const char* name : {"auto", "cpu", "cuda:0", "cuda:7"}) EXPECT_EQ(to_string(parse_device(name)), name);
}

TEST(Device, RefusesOtherNames) {
  for (const char* name : {"", "gpu", "cuda:", "cuda:-1", "cuda:1x", "cuda:128", "CPU", "cpu:0"}) {
    EXPECT_THROW(parse_device(name), Error) << name;
  }
}

TEST(Precision, NamesRoundTrip) {
  for (const char* name : {"fp32", "fp16", "bf16"}) EXPECT_EQ(to_string(parse_precision(name)), name);
  EXPECT_EQ(parse_precision("half"), Precision::kFloat16);
  EXPECT_EQ(parse_precision("bfloat16"), Precision::kBFloat16);
  EXPECT_EQ(parse_precision("float"), Precision::kFloat32);
  EXPECT_THROW(parse_precision("fp64"), Error);
}

}  // namespace
}  // namespace ldm
