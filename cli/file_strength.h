#pragma once

#include <string>

namespace ldm::cli {

// A file and how strongly it acts.
struct FileStrength {
  std::string file;
  double strength = 1.0;
};

// "FILE" or "FILE:0.8"; a file whose name holds a colon is found first. Throws kUsage for a strength that is
// no number; `flag` is named in the message.
FileStrength read_file_strength(const std::string& text, const char* flag);

}  // namespace ldm::cli
