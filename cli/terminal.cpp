#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iostream>

#include "ldm/io/printable.h"

namespace ldm::cli {
namespace {

constexpr double kBarInterval_s = 0.1;
constexpr double kFirstLineInterval_s = 2.0;
constexpr double kLastLineInterval_s = 60.0;

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

int64_t stderr_columns() {
  winsize size = {};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

Terminal::Terminal(std::ostream& out, bool bar, int64_t columns, Clock clock)
    : out_(&out), bar_(bar), columns_(columns), clock_(std::move(clock)) {}

void Terminal::show(const Progress& state) {
  const std::lock_guard lock(mutex_);
  const double now = clock_();
  if (state.stage != stage_) {
    meter_ = RateMeter();
    stage_ = state.stage;
    shown_s_ = bar_ ? -1e9 : now;
    interval_s_ = kFirstLineInterval_s;
  }
  meter_.update(state.done, now);
  const bool last = state.total > 0 && state.done >= state.total;
  const double due = shown_s_ + (bar_ ? kBarInterval_s : interval_s_);
  if (!last && now < due) return;
  shown_s_ = now;
  bar_ ? show_bar(state, last) : show_line(state);
}

void Terminal::show_bar(const Progress& state, bool last) {
  std::string bar = progress_bar(state, meter_, columns_ - 1);
  const auto blank = drawn_.size() > bar.size() ? drawn_.size() - bar.size() : 0;
  *out_ << '\r' << bar << std::string(blank, ' ') << (last ? "\n" : "") << std::flush;
  drawn_ = last ? std::string() : std::move(bar);
}

// Short work shows only its end; long work a line after 2, 4, 8, ... seconds and then each minute.
void Terminal::show_line(const Progress& state) {
  *out_ << progress_line(state, meter_) << std::endl;
  interval_s_ = std::min(2 * interval_s_, kLastLineInterval_s);
}

void Terminal::message(LogLevel level, std::string_view text) {
  const std::lock_guard lock(mutex_);
  clear_bar();
  *out_ << (level == LogLevel::kWarning ? "warning: " : "") << plain_text(text, /*lines=*/true) << std::endl;
}

void Terminal::end_bar() {
  const std::lock_guard lock(mutex_);
  if (!drawn_.empty()) *out_ << std::endl;
  drawn_.clear();
}

void Terminal::clear_bar() {
  if (drawn_.empty()) return;
  *out_ << '\r' << std::string(drawn_.size(), ' ') << '\r';
  drawn_.clear();
  shown_s_ = -1e9;
}

std::shared_ptr<Terminal> stderr_terminal(bool is_terminal) {
  return std::make_shared<Terminal>(std::cerr, is_terminal, stderr_columns(), steady_seconds);
}

}  // namespace ldm::cli
