#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ldm {

// One axis of a plot: from values to 0..1, linear or logarithmic, and the round values that get a tick.
class PlotAxis {
 public:
  // Spans the drawable ones of `values`; a single value gets some room around it, none gives 0..1 (1..10 for
  // log).
  PlotAxis(const std::vector<const std::vector<double>*>& values, bool log);

  bool drawable(double value) const;
  double position(double value) const;  // 0 at the low end, 1 at the high end.
  // At most `most` + 1 values inside the span: steps of 1, 2 or 5 times a power of ten, or powers of ten.
  std::vector<double> ticks(int64_t most) const;

 private:
  std::vector<double> log_ticks(int64_t most) const;
  double scaled(double value) const;

  bool log_ = false;
  double low_ = 0.0, high_ = 1.0;  // Of the scaled values.
};

// The shortest of the usual forms: "0.05", "250k", "1e-05".
std::string tick_label(double value);

}  // namespace ldm
