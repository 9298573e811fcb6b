#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ldm/image/image.h"

namespace ldm {

// One curve. Points that are not finite, or not positive on a logarithmic axis, leave a gap.
struct PlotSeries {
  std::string name;  // In the legend; empty: none.
  std::vector<double> x;
  std::vector<double> y;
};

struct PlotOptions {
  std::string title;
  std::string x_label;
  std::string y_label;
  int64_t width = 960;  // Pixels, 200..8192, like height.
  int64_t height = 540;
  bool log_x = false;
  bool log_y = false;
};

// Line curves in one frame with ticks, grid lines and a legend; more than 7 of them share colours, are told
// apart by strokes and have the legend beside the frame. The axes span what is drawable, 0..1 if
// nothing is. Result: RGB. Throws kUsage if x and y of a series differ in length, or the size is out of
// range.
Image plot_lines(std::span<const PlotSeries> series, const PlotOptions& options = {});

}  // namespace ldm
