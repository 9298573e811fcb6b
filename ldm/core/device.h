#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ldm {

// Names of devices and number types as users write them. Plain values: whether a device exists is asked
// elsewhere.
enum class DeviceKind { kAuto, kCpu, kCuda };

struct DeviceName {
  DeviceKind kind = DeviceKind::kAuto;
  int64_t index = 0;  // Which GPU; 0 for the others.
  bool operator==(const DeviceName&) const = default;
};

// "auto", "cpu", "cuda", "cuda:1" (0..127). Throws kUsage otherwise.
DeviceName parse_device(std::string_view text);
std::string to_string(const DeviceName& device);

// The number type that networks compute in.
enum class Precision { kFloat32, kFloat16, kBFloat16 };

// "fp32", "fp16", "bf16", also "float32", "float", "float16", "half", "bfloat16". Throws kUsage otherwise.
Precision parse_precision(std::string_view text);
std::string to_string(Precision precision);

}  // namespace ldm
