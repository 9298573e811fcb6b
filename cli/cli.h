#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "cli/terminal.h"
#include "ldm/core/log.h"
#include "ldm/core/progress.h"
#include "ldm/core/stop.h"

namespace CLI {
class App;
}

namespace ldm::cli {

// What the environment says; main.cpp alone reads it.
struct Environment {
  std::filesystem::path program;  // This program's own file.
  std::filesystem::path models;   // Folder of the shipped models ($LDM_MODELS, or found beside the program).
  std::optional<std::string> no_cuda;  // Why CUDA is not used; empty when libtorch_cuda was opened.
};

// What every verb gets. Made once in main and alive until the program ends.
struct Context {
  Environment environment;
  bool quiet = false;   // No progress and no information; warnings still come.
  int64_t threads = 0;  // 0: LibTorch's choice.
  std::string device;   // "auto", "cpu", "cuda" or "cuda:N"; read it through pick_device().
  StopToken stop;       // Requested by the first Ctrl-C or SIGTERM.
  std::shared_ptr<Terminal> terminal;
  std::function<int()> run;  // The chosen verb with its options read; gives the exit code.

  // Sinks for the library: a bar on a terminal, plain lines otherwise, all on stderr. Results go to stdout.
  LogFn log() const;
  ProgressFn progress() const;
};

// One verb, one file, one function: declares the options and the examples and says what to run.
void add_generate(CLI::App& app, Context& context);
void add_interpolate(CLI::App& app, Context& context);
void add_train(CLI::App& app, Context& context);
void add_encode(CLI::App& app, Context& context);
void add_decode(CLI::App& app, Context& context);
void add_reconstruct(CLI::App& app, Context& context);
void add_convert(CLI::App& app, Context& context);
void add_data(CLI::App& app, Context& context);
void add_info(CLI::App& app, Context& context);
void add_doctor(CLI::App& app, Context& context);

}  // namespace ldm::cli
