#include "cli/start_torch.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <dlfcn.h>
#include <malloc.h>
#include <torch/version.h>

#include <climits>

#include "ldm/core/device.h"
#include "ldm/core/error.h"

namespace ldm::cli {

std::optional<std::string> open_cuda() {
  if (dlopen("libcuda.so.1", RTLD_NOW | RTLD_GLOBAL) == nullptr) return "no GPU driver (libcuda.so.1)";
  if (dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    const char* reason = dlerror();
    return std::string("a GPU driver, but LibTorch's CUDA part does not open: ") +
           (reason ? reason : "unknown");
  }
  return std::nullopt;
}

void keep_large_blocks() {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, INT_MAX);
  mallopt(M_TOP_PAD, 64 << 20);
}

std::string running_torch_version() {
  const std::string config = at::show_config();
  const std::string key = "TORCH_VERSION=";
  const auto begin = config.find(key);
  if (begin == std::string::npos) return "unknown";
  const auto from = begin + key.size();
  return config.substr(from, config.find_first_of(",; \n", from) - from);
}

void check_torch_version() {
  const std::string running = running_torch_version();
  check(running == TORCH_VERSION, ErrorKind::kInternal, "this program was built with LibTorch ",
        TORCH_VERSION, " but runs with ", running, "; hint: build again, or unset LD_LIBRARY_PATH");
}

void set_threads(const Context& context) {
  if (context.threads > 0) at::set_num_threads(static_cast<int>(context.threads));
}

c10::Device pick_device(const Context& context) {
  const DeviceName name = parse_device(context.device);
  const int64_t count = at::hasCUDA() ? at::detail::getCUDAHooks().deviceCount() : 0;
  if (name.kind == DeviceKind::kCpu || (name.kind == DeviceKind::kAuto && count == 0))
    return c10::Device(c10::kCPU);
  check(count > 0, "--device ", context.device,
        ": no CUDA device: ", context.environment.no_cuda.value_or("the driver shows none"),
        "; hint: --device cpu");
  check(name.index < count, "--device ", context.device, ": there are ", count,
        " CUDA devices, the first is cuda:0");
  return c10::Device(c10::kCUDA, static_cast<c10::DeviceIndex>(name.index));
}

}  // namespace ldm::cli
