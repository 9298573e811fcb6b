#include "cli/gpus.h"

#include <dlfcn.h>

#include <array>
#include <cstddef>

namespace ldm::cli {
namespace {

// The five functions of the CUDA driver interface that are asked (cuda.h); all give 0 for success.
struct Driver {
  int (*init)(unsigned);
  int (*count)(int*);
  int (*get)(int*, int);
  int (*name)(char*, int, int);
  int (*memory)(std::size_t*, int);
};

template <typename Function>
bool find(void* library, const char* name, Function& out) {
  out = reinterpret_cast<Function>(dlsym(library, name));
  return out != nullptr;
}

bool open_driver(Driver& d) {
  void* library = dlopen("libcuda.so.1", RTLD_NOW);
  return library != nullptr && find(library, "cuInit", d.init) &&
         find(library, "cuDeviceGetCount", d.count) && find(library, "cuDeviceGet", d.get) &&
         find(library, "cuDeviceGetName", d.name) && find(library, "cuDeviceTotalMem_v2", d.memory) &&
         d.init(0) == 0;
}

}  // namespace

std::vector<std::string> gpu_names() {
  Driver driver{};
  int count = 0;
  if (!open_driver(driver) || driver.count(&count) != 0) return {};
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) {
    int device = 0;
    std::array<char, 256> name{};
    std::size_t bytes = 0;
    if (driver.get(&device, i) != 0 || driver.name(name.data(), 255, device) != 0) continue;
    driver.memory(&bytes, device);
    names.push_back("cuda:" + std::to_string(i) + " " + name.data() + " (" + std::to_string(bytes >> 30) +
                    " GiB)");
  }
  return names;
}

}  // namespace ldm::cli
