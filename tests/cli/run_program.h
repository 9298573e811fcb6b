#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ldm::cli {

// What a run of the built program gave. code: 128 + n where signal n ended it.
struct Outcome {
  int code = -1;
  std::string out;
  std::string err;
};

// Runs build/bin/ldm with the arguments and waits. stdin is empty, both outputs are files (no terminal).
// `environment` holds extra settings such as "LDM_MODELS=/tmp/x".
Outcome run_program(const std::vector<std::string>& arguments,
                    const std::vector<std::string>& environment = {});

// The project's source folder.
std::filesystem::path source_folder();

// A fresh folder that goes away with this object.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

std::string read_whole(const std::filesystem::path& path);
void write_whole(const std::filesystem::path& path, const std::string& text);

}  // namespace ldm::cli
