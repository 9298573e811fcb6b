#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "ldm/core/error.h"

namespace ldm::fuzz {

// Whatever the bytes are, a parser either takes them or throws an ldm::Error that blames them: a defect of
// ours (kInternal), another exception or a sanitizer's report is a finding.
template <typename Parse>
int parse_or_refuse(const uint8_t* data, size_t size, Parse&& parse) {
  try {
    parse(std::span(reinterpret_cast<const std::byte*>(data), size));
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kInternal) throw;
  }
  return 0;
}

}  // namespace ldm::fuzz

// libFuzzer's entry, which each target defines.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
