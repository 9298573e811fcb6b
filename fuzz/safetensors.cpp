#include "ldm/io/safetensors.h"

#include "fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return ldm::fuzz::parse_or_refuse(data, size, [](auto bytes) {
    uint64_t sum = 0;  // Every tensor's bytes can be read.
    for (const auto& tensor : ldm::parse_safetensors(bytes).tensors) {
      for (const auto byte : tensor.data) sum += std::to_integer<uint64_t>(byte);
    }
    volatile uint64_t kept = sum;
    (void)kept;
  });
}
