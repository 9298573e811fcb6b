#include "ldm/image/axis.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

namespace ldm {

PlotAxis::PlotAxis(const std::vector<const std::vector<double>*>& values, bool log) : log_(log) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const auto* column : values) {
    for (const double value : *column) {
      if (!drawable(value)) continue;
      low = std::min(low, scaled(value));
      high = std::max(high, scaled(value));
    }
  }
  if (low > high) return;  // Nothing to draw.
  const double room = high > low ? 0.0 : std::max(std::abs(low) * 0.1, log ? 0.5 : 1e-3);
  low_ = low - room;
  high_ = high + room;
}

bool PlotAxis::drawable(double value) const {
  return std::isfinite(value) && (log_ ? value > 0 : std::abs(value) < 1e300);
}

double PlotAxis::scaled(double value) const { return log_ ? std::log10(value) : value; }

double PlotAxis::position(double value) const { return (scaled(value) - low_) / (high_ - low_); }

std::vector<double> PlotAxis::ticks(int64_t most) const {
  if (log_ && high_ - low_ > 0.9) return log_ticks(most);
  const double low = log_ ? std::pow(10.0, low_) : low_, high = log_ ? std::pow(10.0, high_) : high_;
  const double rough = (high - low) / static_cast<double>(most);
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  const double step = power * (rough <= power ? 1 : rough <= 2 * power ? 2 : rough <= 5 * power ? 5 : 10);
  std::vector<double> out;
  const double slack = 1e-9 * (high - low);
  for (double i = std::ceil((low - slack) / step); i * step <= high + slack && out.size() < 100; ++i) {
    out.push_back(i == 0 ? 0.0 : i * step);
  }
  return out;
}

std::vector<double> PlotAxis::log_ticks(int64_t most) const {
  const bool fine = high_ - low_ < 2.5;  // Few decades: also 2 and 5 of each.
  const double stride = std::max(1.0, std::ceil((high_ - low_) / static_cast<double>(most)));
  std::vector<double> out;
  for (double decade = std::floor(low_); decade <= high_; decade += stride) {
    for (const double digit : {1.0, 2.0, 5.0}) {
      const double value = digit * std::pow(10.0, decade);
      const double at = std::log10(value);
      const bool inside = at >= low_ - 1e-9 && at <= high_ + 1e-9;
      if (inside && (fine || digit == 1.0)) out.push_back(value);
    }
  }
  return out;
}

std::string tick_label(double value) {
  char text[32];
  const double size = std::abs(value);
  const char* unit = size >= 1e9 ? "G" : size >= 1e6 ? "M" : size >= 1e4 ? "k" : "";
  const double divisor = size >= 1e9 ? 1e9 : size >= 1e6 ? 1e6 : size >= 1e4 ? 1e3 : 1.0;
  if (size >= 1e12) {
    std::snprintf(text, sizeof text, "%.3g", value);
  } else {
    std::snprintf(text, sizeof text, "%.5g%s", value / divisor, unit);
  }
  return text;
}

}  // namespace ldm
