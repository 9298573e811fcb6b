#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "ldm/core/log.h"
#include "ldm/core/progress.h"

namespace ldm::cli {

// Shows progress and messages on one stream without mixing them up: on a terminal one bar that is redrawn in
// place, elsewhere a plain line now and then. May be called from several threads.
class Terminal {
 public:
  using Clock = std::function<double()>;  // Seconds; another one in tests.

  Terminal(std::ostream& out, bool bar, int64_t columns, Clock clock);

  void show(const Progress& state);
  void message(LogLevel level, std::string_view text);  // A line of its own; warnings begin with "warning: ".
  void end_bar();                                       // Leaves the bar as it stands and goes to a new line.

 private:
  void show_bar(const Progress& state, bool last);
  void show_line(const Progress& state);
  void clear_bar();

  std::mutex mutex_;
  std::ostream* out_;
  bool bar_ = false;
  int64_t columns_ = 80;
  Clock clock_;
  RateMeter meter_;
  std::string stage_;        // Of the last report.
  std::string drawn_;        // The bar as it stands, empty where none does.
  double shown_s_ = -1e9;    // When something was shown last.
  double interval_s_ = 0.0;  // Until the next plain line: grows from 2 to 60 s.
};

// The terminal of this process's stderr: a bar where stderr is one (`is_terminal`), as wide as it is.
std::shared_ptr<Terminal> stderr_terminal(bool is_terminal);

}  // namespace ldm::cli
