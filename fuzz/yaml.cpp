#include "ldm/config/yaml.h"

#include "fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return ldm::fuzz::parse_or_refuse(data, size,
                                    [](auto bytes) { ldm::to_yaml(ldm::parse_yaml(bytes, "config.yaml")); });
}
