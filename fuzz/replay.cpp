// Gives every file of the folders and files named on the command line to the target once.
#include <cstdio>
#include <filesystem>

#include "fuzz/target.h"
#include "ldm/io/file.h"

int main(int count, char** arguments) {
  namespace fs = std::filesystem;
  int files = 0;
  for (int i = 1; i < count; ++i) {
    for (const auto& entry : fs::recursive_directory_iterator(arguments[i])) {
      if (!entry.is_regular_file()) continue;
      const auto bytes = ldm::read_file(entry.path(), 1 << 26);
      LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
      ++files;
    }
  }
  std::printf("%d files\n", files);
  return files > 0 ? 0 : 1;
}
