#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ldm/core/log.h"
#include "ldm/nn/state_dict.h"

namespace ldm {

// The files of a checkpoint: for each name a function that writes that file at the path it is given.
using CheckpointFiles = std::map<std::string, std::function<void(const std::filesystem::path&)>>;

// Writers for CheckpointFiles. The tensors are read when the file is written, not before.
std::function<void(const std::filesystem::path&)> tensor_file_writer(
    StateDict tensors, std::map<std::string, std::string> metadata = {});
std::function<void(const std::filesystem::path&)> text_file_writer(std::string text);

// A complete checkpoint on disk.
struct Checkpoint {
  int64_t step = 0;
  int64_t sequence = 0;          // Counts the saves of a store: the newest checkpoint has the highest.
  std::filesystem::path folder;  // .../step-N
};

// Reads the manifest of one checkpoint folder and compares every file with it (size and SHA-256). Throws
// kData when something is missing, kFormat when something differs.
Checkpoint verify_checkpoint(const std::filesystem::path& folder);

// The checkpoints of a run: folder/step-N/ with the files and manifest.json, and folder/latest, a text file
// that names the newest for people and scripts. A checkpoint is written as step-N.tmp, synced, renamed, and
// only then named in `latest`, so a crash at any instant leaves the older ones whole and never a broken one
// under a good name. One process may write at a time.
class CheckpointStore {
 public:
  // Keeps the `keep` (>= 1) newest checkpoints. The folder is made at the first save.
  explicit CheckpointStore(std::filesystem::path folder, int64_t keep = 3);

  // Writes a checkpoint, replacing one of the same step, then removes what is too old. Throws kData when the
  // disk is full or a file cannot be written; the checkpoints from before are then untouched.
  Checkpoint save(int64_t step, const CheckpointFiles& files);

  // The newest checkpoint that verifies; nothing when there is none. Each one passed over is a warning with
  // its reason. Throws kData when there are some and all are damaged: a new start in their place would remove
  // what may still be mended.
  std::optional<Checkpoint> latest(const LogFn& log = {}) const;

  const std::filesystem::path& folder() const { return folder_; }

 private:
  std::vector<Checkpoint> list(const LogFn& log = {}) const;
  void prune() const;

  std::filesystem::path folder_;
  int64_t keep_;
};

}  // namespace ldm
