#pragma once

#include <cstdint>

#include "ldm/core/stop.h"

namespace ldm {

// What a first stage may use for coding pictures.
struct CodingLimits {
  int64_t memory = 0;  // Bytes beside weights, input and result; 0: any.
  int64_t band = 0;    // Rows that are made at a time, at least 2; 0: as the memory allows.
  StopToken stop;      // Looked at between bands: coding then throws Stopped.
};

}  // namespace ldm
