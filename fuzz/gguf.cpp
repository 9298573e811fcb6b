#include "ldm/io/gguf.h"

#include <vector>

#include "fuzz/target.h"
#include "ldm/io/strided.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return ldm::fuzz::parse_or_refuse(data, size, [](auto bytes) {
    for (const auto& tensor : ldm::parse_gguf(bytes).tensors) {
      std::vector<float> numbers(static_cast<size_t>(ldm::element_count(tensor.name, tensor.shape)));
      ldm::dequantize(tensor, numbers);
    }
  });
}
