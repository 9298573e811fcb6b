#pragma once

#include <filesystem>

namespace ldm {

// Keeps other programs from training in the same folder for as long as it lives (flock on the folder; nothing
// is left behind, however the program ends).
class RunLock {
 public:
  // Throws kUsage if another program holds the folder, kData if it cannot be opened.
  explicit RunLock(const std::filesystem::path& run);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

 private:
  int folder_;
};

}  // namespace ldm
