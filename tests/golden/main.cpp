// golden_test [--device cuda] [--filter TEXT] [--list] [--root DIR] [--data DIR] [--pending FILE]
//             [--markdown FILE] [--inference]
// --markdown writes a table of what passed and the worst error of each kind.
// --inference computes with the kernels of inference (prepare_for_inference) and leaves gradients out.
// Default root: $LDM_GOLDEN_ROOT, else the archives that the build unpacked.
#include <ATen/Context.h>
#include <ATen/Parallel.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>

#include "cli/start_torch.h"
#include "tests/golden/runner.h"

namespace {

ldm::golden::RunnerOptions defaults() {
  ldm::golden::RunnerOptions options;
  options.data = {LDM_GOLDEN_UNPACKED "/math", LDM_GOLDEN_UNPACKED "/models", LDM_GOLDEN_SOURCE};
  options.pending = LDM_GOLDEN_SOURCE "/pending.txt";
  return options;
}

int usage(const char* complaint) {
  std::fprintf(stderr,
               "golden_test: %s\nusage: golden_test [--device cuda] [--filter TEXT] [--list] [--root DIR] "
               "[--data DIR] [--pending FILE] [--markdown FILE] [--inference]\n",
               complaint);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  ldm::cli::open_cuda();  // Before anything of LibTorch is used.
  auto options = defaults();
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    if (flag == "--list") {
      options.list = true;
      continue;
    }
    if (flag == "--inference") {
      options.inference = true;
      continue;
    }
    if (i + 1 == argc) return usage("an option is unknown or lacks its value");
    const char* value = argv[++i];
    if (flag == "--device") {
      options.device = value;
    } else if (flag == "--filter") {
      options.filter = value;
    } else if (flag == "--root") {
      options.roots.emplace_back(value);
    } else if (flag == "--data") {
      options.data.emplace_back(value);
    } else if (flag == "--markdown") {
      options.markdown = value;
    } else if (flag == "--pending") {
      options.pending = value;
    } else {
      return usage("an option is unknown");
    }
  }
  const char* root = std::getenv("LDM_GOLDEN_ROOT");
  if (options.roots.empty() && root != nullptr && *root != '\0') options.roots.emplace_back(root);
  if (options.roots.empty()) {
    options.roots = {LDM_GOLDEN_UNPACKED "/math", LDM_GOLDEN_UNPACKED "/models"};
    options.check_stale = options.filter.empty() && !options.inference;
  }
  options.full_size_threads = at::get_num_threads();
  at::set_num_threads(1);  // The cases are small; threads that wait for each other on a busy machine are not.
  at::globalContext().setAllowTF32CuBLAS(false);
  at::globalContext().setAllowTF32CuDNN(false);
  try {
    return ldm::golden::run(options);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "golden_test: %s\n", e.what());
    return 1;
  }
}
