#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "ldm/data/dataset.h"
#include "ldm/image/image.h"

namespace ldm {

// The pictures of a folder in their own sizes, read when asked for.
class PictureFiles {
 public:
  // examples[i].id is a path inside `folder`. Throws kData if there is none.
  PictureFiles(std::filesystem::path folder, std::vector<ExampleInfo> examples);

  int64_t size() const { return static_cast<int64_t>(examples_.size()); }
  const std::filesystem::path& folder() const { return folder_; }
  const ExampleInfo& info(int64_t index) const;  // Throws kUsage for an index out of range.

  // An RGB picture (over white) and whose it is: the first at or after `index`, counted round, that can be
  // read. Throws kData after 100 broken ones.
  struct Read {
    int64_t index;
    Image image;
  };
  Read read(int64_t index) const;

  // Hexadecimal digits that change with the pictures' names and sizes in bytes, and with `settings`.
  std::string fingerprint(const std::string& settings) const;

 private:
  std::filesystem::path folder_;
  std::vector<ExampleInfo> examples_;
};

}  // namespace ldm
