// The program: the one place that reads the environment and turns errors into exit codes.
#include <c10/util/Exception.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "cli/cli.h"
#include "cli/signals.h"
#include "cli/start_torch.h"
#include "cli/usage.h"
#include "cli/verb.h"
#include "cli/version.h"
#include "ldm/core/error.h"
#include "ldm/io/printable.h"

namespace ldm::cli {
namespace {

namespace fs = std::filesystem;

// The folder with the shipped models: $LDM_MODELS, or where an installed or a freshly built program finds it.
fs::path find_models(const fs::path& program) {
  if (const char* given = std::getenv("LDM_MODELS"); given != nullptr && *given != '\0') return given;
  const fs::path folder = program.parent_path();
  std::error_code ignored;
  for (const auto* place : {"../share/ldm/models", "../../models", "../models"}) {
    const fs::path models = (folder / place).lexically_normal();
    if (fs::is_directory(models, ignored)) return models;
  }
  return (folder / "../../models").lexically_normal();
}

Environment read_environment() {
  Environment environment;
  std::error_code ignored;
  environment.program = fs::read_symlink("/proc/self/exe", ignored);
  environment.models = find_models(environment.program);
  return environment;
}

void add_verbs(CLI::App& app, Context& context) {
  app.formatter(std::make_shared<HelpFormatter>());
  app.set_help_flag("-h,--help", "print this and end");
  app.set_version_flag("--version", std::string("ldm ") + kVersion + " (torch " + kBuiltWithTorch + ")",
                       "print the version and end");
  app.footer("ldm VERB --help says more and shows examples.");
  app.require_subcommand(1);
  add_generate(app, context);
  add_interpolate(app, context);
  add_train(app, context);
  add_encode(app, context);
  add_decode(app, context);
  add_reconstruct(app, context);
  add_convert(app, context);
  add_data(app, context);
  add_info(app, context);
  add_doctor(app, context);
}

int run(Context& context) {
  context.environment.no_cuda = open_cuda();
  keep_large_blocks();
  check_torch_version();
  set_threads(context);
  stop_on_signals(context.stop);
  return context.run();
}

int run_arguments(const std::vector<std::string>& arguments, Context& context) {
  CLI::App app("Latent diffusion, natively: trains, draws, edits.", "ldm");
  add_verbs(app, context);
  const std::string text = parse_arguments(app, arguments);
  const int code = text.empty() ? run(context) : 0;
  std::cout << text << std::flush;
  check(std::cout.good(), ErrorKind::kData, "standard output cannot be written");
  return code;
}

// One line for a person: the first of LibTorch's many.
std::string first_line(std::string text) { return text.substr(0, text.find('\n')); }

int report(Context& context, const std::string& message) {
  context.terminal->end_bar();
  std::cerr << "ldm: " << plain_text(message, /*lines=*/true) << '\n';
  return 1;
}

// Calls the program proper and turns what it throws into one line and an exit code.
int guarded(const std::vector<std::string>& arguments, Context& context) {
  try {
    return run_arguments(arguments, context);
  } catch (const Error& error) {
    report(context, error.what());
    return error.kind() == ErrorKind::kUsage ? 2 : 1;
  } catch (const c10::OutOfMemoryError& error) {
    return report(context, "not enough memory on the device: " + first_line(error.what_without_backtrace()) +
                               "; hint: a smaller batch or picture");
  } catch (const c10::Error& error) {
    return report(context, "LibTorch: " + first_line(error.what_without_backtrace()));
  } catch (const std::bad_alloc&) {
    return report(context, "not enough memory; hint: a smaller batch or picture");
  } catch (const std::exception& error) {
    return report(context, first_line(error.what()));
  }
}

}  // namespace
}  // namespace ldm::cli

int main(int argc, char** argv) {
  ldm::cli::Context context;
  context.environment = ldm::cli::read_environment();
  const char* kind = std::getenv("TERM");
  const bool can_redraw = kind != nullptr && std::string_view(kind) != "dumb";
  context.terminal = ldm::cli::stderr_terminal(can_redraw && isatty(STDERR_FILENO) == 1);
  return ldm::cli::guarded({argv + std::min(argc, 1), argv + argc}, context);
}
