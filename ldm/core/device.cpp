#include "ldm/core/device.h"

#include <charconv>

#include "ldm/core/error.h"

namespace ldm {

DeviceName parse_device(std::string_view text) {
  if (text == "auto") return {DeviceKind::kAuto, 0};
  if (text == "cpu") return {DeviceKind::kCpu, 0};
  if (text == "cuda") return {DeviceKind::kCuda, 0};
  int64_t index = -1;
  if (text.starts_with("cuda:")) {
    const auto digits = text.substr(5);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    if (error != std::errc{} || end != digits.data() + digits.size()) index = -1;
  }
  check(index >= 0 && index < 128, "device (--device): expected auto, cpu, cuda or cuda:N, got '", text, "'");
  return {DeviceKind::kCuda, index};
}

std::string to_string(const DeviceName& device) {
  if (device.kind == DeviceKind::kAuto) return "auto";
  return device.kind == DeviceKind::kCpu ? "cpu" : "cuda:" + std::to_string(device.index);
}

Precision parse_precision(std::string_view text) {
  if (text == "fp32" || text == "float32" || text == "float") return Precision::kFloat32;
  if (text == "fp16" || text == "float16" || text == "half") return Precision::kFloat16;
  if (text == "bf16" || text == "bfloat16") return Precision::kBFloat16;
  fail(ErrorKind::kUsage, "parse_precision: expected fp32, fp16 or bf16, got '", text, "'");
}

std::string to_string(Precision precision) {
  if (precision == Precision::kFloat32) return "fp32";
  return precision == Precision::kFloat16 ? "fp16" : "bf16";
}

}  // namespace ldm
