#include "cli/cli.h"

namespace ldm::cli {

LogFn Context::log() const {
  return [terminal = terminal, quiet = quiet](LogLevel level, std::string_view text) {
    if (!quiet || level == LogLevel::kWarning) terminal->message(level, text);
  };
}

ProgressFn Context::progress() const {
  if (quiet) return {};
  return [terminal = terminal](const Progress& state) { terminal->show(state); };
}

}  // namespace ldm::cli
