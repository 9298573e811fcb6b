#include "fuzz/target.h"
#include "ldm/io/npy.h"
#include "ldm/io/zip.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return ldm::fuzz::parse_or_refuse(data, size, [](auto bytes) {
    if (ldm::is_zip(bytes)) {
      ldm::parse_npz(bytes);
    } else {
      ldm::parse_npy(bytes);
    }
  });
}
