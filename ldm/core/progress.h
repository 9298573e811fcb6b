#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace ldm {

// Where long work stands. The library reports it; only the command line shows it.
struct Progress {
  std::string stage;        // What is being done: "sampling", "training".
  int64_t done = 0;         // Units finished so far.
  int64_t total = 0;        // Units in all; 0 when unknown.
  std::string detail;       // Free text for the end of the line: "loss 0.183".
  std::string unit = "it";  // What is counted, in the plural: "images".
};

// Called from the thread that works, after each unit. An empty function drops the report.
using ProgressFn = std::function<void(const Progress&)>;

inline void report(const ProgressFn& progress, const Progress& state) {
  if (progress) progress(state);
}

// Estimates units per second as an exponential average over the recent past, so that it follows a change of
// speed.
class RateMeter {
 public:
  // memory_s: after this many seconds an old speed weighs 1/e.
  explicit RateMeter(double memory_s = 30.0) : memory_s_(memory_s) {}

  // `done` units are finished at time now_s (seconds on any steady clock). A smaller `done` than before
  // starts anew.
  void update(int64_t done, double now_s);
  void update(int64_t done);  // The same at the time of std::chrono::steady_clock.

  double rate() const { return rate_; }  // Units per second; 0 before two updates at different times.
  // Seconds until `total` units are done; empty while the rate is unknown.
  std::optional<double> eta_s(int64_t total) const;

 private:
  double memory_s_;
  double rate_ = 0.0;
  double weight_ = 0.0;  // How much of the average is filled, 0..1.
  double mean_ = 0.0;    // The unnormalised average.
  double last_s_ = 0.0;
  int64_t done_ = 0;
  bool started_ = false;
};

// "0:07", "12:30", "1:02:03", "2d 03:04:05"; negative and non-finite values give "-:--".
std::string format_duration(double seconds);

// "3.42 images/s" above one unit a second, "1.87 s/image" below, "" when unknown (0). unit: in the plural.
std::string format_rate(double units_per_s, const std::string& unit);

// One line for a terminal, at most `columns` characters, without a line break:
// "sampling  42% [########..........] 21/50  3.42 it/s  ETA 0:08  detail". ASCII only apart from the caller's
// text.
std::string progress_bar(const Progress& state, const RateMeter& meter, int64_t columns = 80);

// The same for a log file: "sampling: 21/50 (42%), 3.42 it/s, ETA 0:08, detail".
std::string progress_line(const Progress& state, const RateMeter& meter);

}  // namespace ldm
