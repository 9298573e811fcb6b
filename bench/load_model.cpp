// bench_load_model MODEL
// Loads a model of any layout, ready to draw on the CPU. Prints "SECONDS COMPUTE ANON TOTAL" in seconds and
// MiB: the weights in the type that is computed in, the most anonymous memory (RssAnon) while loading, and
// the most resident memory of all kinds (VmHWM). bench/load_model.sh makes the table.
#include "ldm/model/load_model.h"

#include <ATen/ATen.h>
#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <climits>
#include <cstdio>
#include <exception>
#include <fstream>
#include <string>
#include <thread>

namespace {

// A line of /proc/self/status in MiB.
double status_mib(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(key + ":")) return std::stod(line.substr(key.size() + 1)) / 1024;
  }
  return 0;
}

// Looks at the anonymous memory every millisecond until it ends.
class AnonymousPeak {
 public:
  AnonymousPeak() : watcher_([this] { watch(); }) {}
  ~AnonymousPeak() {
    done_ = true;
    watcher_.join();
  }
  AnonymousPeak(const AnonymousPeak&) = delete;
  AnonymousPeak& operator=(const AnonymousPeak&) = delete;
  double mib() const { return most_; }

 private:
  void watch() {
    while (!done_) {
      most_ = std::max(most_.load(), status_mib("RssAnon"));
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  std::atomic<bool> done_{false};
  std::atomic<double> most_{0};
  std::thread watcher_;
};

double weights_mib(const ldm::LatentDiffusion& model) {
  double bytes = 0;
  const auto add = [&](const torch::nn::Module& module) {
    for (const auto& parameter : module.parameters()) bytes += static_cast<double>(parameter.nbytes());
  };
  add(model.unet());
  add(model.first_stage());
  if (model.conditioner() != nullptr) add(*model.conditioner());
  return bytes / (1 << 20);
}

void measure(const char* path) {
  // As the program does (cli/start_torch.cpp).
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, INT_MAX);
  mallopt(M_TOP_PAD, 64 << 20);
  const AnonymousPeak peak;
  const auto began = std::chrono::steady_clock::now();
  const auto model = ldm::load_latent_diffusion(path);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  std::printf("%.2f %.0f %.0f %.0f\n", took.count(), weights_mib(*model), peak.mib(), status_mib("VmHWM"));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: bench_load_model MODEL\n");
    return 2;
  }
  try {
    measure(argv[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
