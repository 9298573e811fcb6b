#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/cli/run_program.h"

namespace ldm::cli {

// Two dozen pictures of 32x32 pixels with captions, the configurations of two tiny models, and both trained
// for six steps with a checkpoint every three.
struct TinyRun {
  Scratch folder;
  std::string pictures, classes;  // Folders: with x.txt, and a folder per class.
  std::string autoencoder_yaml, vq_yaml, diffusion_yaml, class_yaml;
  std::string autoencoder_run, diffusion_run;  // Folders of the finished runs.
  std::string first_stage, model;              // The files that they made.
};

// Made when first asked for, once for the whole program.
const TinyRun& tiny();

// A program that runs beside the test. Its output goes to files in the folder.
class RunningProgram {
 public:
  RunningProgram(const std::vector<std::string>& arguments, const Scratch& folder);
  ~RunningProgram();
  void interrupt() const;         // SIGINT.
  bool wait_for_handler() const;  // Until it handles SIGINT itself; false after 60 seconds.
  int wait();                     // Its exit code; 128 + n where signal n ended it.

 private:
  pid_t child_ = -1;
};

// Waits until the file has at least so many lines; false after 60 seconds.
bool wait_for_lines(const std::filesystem::path& file, int lines);

// One line on stderr that begins with "ldm: " and has `part` in it, this exit code, nothing on stdout.
void expect_refusal(const Outcome& outcome, int code, const std::string& part);

// The last line of stderr that is not progress or information.
std::string last_line(const std::string& text);

}  // namespace ldm::cli
