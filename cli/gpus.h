#pragma once

#include <string>
#include <vector>

namespace ldm::cli {

// The GPUs that the driver shows, such as "cuda:0 NVIDIA H100 (79 GiB)"; empty without a driver.
// Asks libcuda by name, so that neither CUDA headers nor a CUDA LibTorch are needed.
std::vector<std::string> gpu_names();

}  // namespace ldm::cli
