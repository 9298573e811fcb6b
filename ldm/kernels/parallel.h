#pragma once

#include <torch/csrc/stable/c/shim.h>

#include <cstdint>

#include "ldm/core/error.h"

namespace ldm {

// work(begin, end) over parts of first..last, of at least `grain` each where there are several, on LibTorch's
// own threads. at::parallel_for is inlined into its caller and runs serially where that is compiled without
// OpenMP; a second OpenMP runtime beside LibTorch's would be worse. Throws kInternal if a part threw.
template <typename Work>
void parallel_for(int64_t first, int64_t last, int64_t grain, const Work& work) {
  const auto part = [](int64_t begin, int64_t end, void* to) { (*static_cast<const Work*>(to))(begin, end); };
  void* const to = const_cast<void*>(static_cast<const void*>(&work));
  check(torch_parallel_for(first, last, grain, part, to) == 0, ErrorKind::kInternal,
        "parallel_for: a part of the work failed; out of memory?");
}

}  // namespace ldm
