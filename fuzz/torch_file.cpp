// The zip form, the older stream and the pickles inside. Bytes that are neither are also read as a bare
// pickle, so that the unpickler is reached without an archive around it.
#include "ldm/io/torch_file.h"

#include "fuzz/target.h"
#include "ldm/io/torch_globals.h"

namespace {

void touch(const ldm::TorchFile& file) {
  uint64_t sum = 0;
  for (const auto& tensor : file.tensors) {
    for (const auto byte : tensor.data) sum += std::to_integer<uint64_t>(byte);
  }
  volatile uint64_t kept = sum;
  (void)kept;
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ldm::fuzz::parse_or_refuse(data, size,
                             [](auto bytes) { ldm::parse_pickle(bytes, ldm::is_checkpoint_global); });
  return ldm::fuzz::parse_or_refuse(data, size, [](auto bytes) { touch(ldm::parse_torch_file(bytes)); });
}
