#pragma once

#include <c10/core/Device.h>

#include <optional>
#include <string>

#include "cli/cli.h"

namespace ldm::cli {

// Opens libtorch_cuda where a GPU driver is. Must come before anything of LibTorch is used: the first look-up
// of the CUDA hooks is remembered for ever. Gives the reason when CUDA stays out.
std::optional<std::string> open_cuda();

// Large blocks stay in the heap instead of going back to the kernel after each operation: fewer page faults,
// elementwise operations of decoder size run 4 to 6 times faster.
void keep_large_blocks();

// Throws kInternal when the LibTorch that was loaded is not the one whose headers this program was built
// with.
void check_torch_version();

// "torch 2.13.0 built against, 2.13.0 running": the version of the loaded LibTorch, such as "2.13.0".
std::string running_torch_version();

// Applies --threads.
void set_threads(const Context& context);

// --device as a device that is there; throws kUsage otherwise. "auto" is the first GPU, or the CPU.
c10::Device pick_device(const Context& context);

}  // namespace ldm::cli
