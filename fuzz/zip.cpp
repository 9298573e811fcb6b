#include "ldm/io/zip.h"

#include "fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return ldm::fuzz::parse_or_refuse(data, size, [](auto bytes) {
    const ldm::ZipArchive archive(bytes, {.inflated_bytes = 1 << 20});
    for (const auto& entry : archive.entries()) ldm::read_zip_entry(entry);
  });
}
