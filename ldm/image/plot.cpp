#include "ldm/image/plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/image/axis.h"
#include "ldm/image/font.h"

namespace ldm {
namespace {

constexpr Rgb kInk{40, 40, 40}, kGridColour{225, 225, 225};
// Told apart also with weak colour vision (Okabe and Ito 2008).
constexpr Rgb kColours[] = {{0, 114, 178}, {213, 94, 0},   {0, 158, 115},  {204, 121, 167},
                            {230, 159, 0}, {86, 180, 233}, {120, 120, 120}};
// Strokes and gaps in pixels, for series that must share a colour.
constexpr std::array<std::pair<double, double>, 4> kStrokes{{{1e9, 0}, {9, 6}, {2.5, 4.5}, {18, 5}}};
constexpr size_t kMostInside = std::size(kColours);  // Series whose legend has room inside the frame.
constexpr int64_t kScale = 2;
constexpr int64_t kLine = kGlyphHeight * kScale;

struct Frame {
  int64_t left, top, right, bottom;  // Pixels of the border lines.
};

struct Point {
  double x, y;
};

void blend(Image& image, int64_t x, int64_t y, Rgb colour, double opacity) {
  if (x < 0 || y < 0 || x >= image.width || y >= image.height) return;
  uint8_t* pixel = image.row(y) + 3 * x;
  for (size_t c = 0; c < 3; ++c) {
    pixel[c] = static_cast<uint8_t>(std::lround(pixel[c] + (colour[c] - pixel[c]) * opacity));
  }
}

// A straight line of 1.6 pixels with smooth edges, cut at the frame: opacity falls with the distance from the
// segment.
void draw_segment(Image& image, const Frame& frame, Point a, Point b, Rgb colour) {
  const double dx = b.x - a.x, dy = b.y - a.y, length2 = dx * dx + dy * dy;
  const auto first_y = std::max(frame.top, static_cast<int64_t>(std::floor(std::min(a.y, b.y))) - 1);
  const auto last_y = std::min(frame.bottom, static_cast<int64_t>(std::ceil(std::max(a.y, b.y))) + 1);
  const auto first_x = std::max(frame.left, static_cast<int64_t>(std::floor(std::min(a.x, b.x))) - 1);
  const auto last_x = std::min(frame.right, static_cast<int64_t>(std::ceil(std::max(a.x, b.x))) + 1);
  for (int64_t y = first_y; y <= last_y; ++y) {
    for (int64_t x = first_x; x <= last_x; ++x) {
      const double px = static_cast<double>(x) - a.x, py = static_cast<double>(y) - a.y;
      const double t = length2 > 0 ? std::clamp((px * dx + py * dy) / length2, 0.0, 1.0) : 0.0;
      const double opacity = 1.3 - std::hypot(px - t * dx, py - t * dy);
      if (opacity > 0) blend(image, x, y, colour, std::min(opacity, 1.0));
    }
  }
}

void draw_box(Image& image, int64_t left, int64_t top, int64_t right, int64_t bottom, Rgb colour) {
  for (int64_t y = top; y <= bottom; ++y) {
    for (int64_t x = left; x <= right; ++x) blend(image, x, y, colour, 1.0);
  }
}

Point place(const Frame& f, const PlotAxis& x_axis, const PlotAxis& y_axis, double x, double y) {
  return {static_cast<double>(f.left) + x_axis.position(x) * static_cast<double>(f.right - f.left),
          static_cast<double>(f.bottom) - y_axis.position(y) * static_cast<double>(f.bottom - f.top)};
}

// Grid lines, tick labels and the border.
void draw_axes(Image& image, const Frame& f, const PlotAxis& x_axis, const PlotAxis& y_axis) {
  for (const double value : x_axis.ticks(std::max<int64_t>((f.right - f.left) / 110, 2))) {
    const auto x = f.left + std::lround(x_axis.position(value) * static_cast<double>(f.right - f.left));
    const auto label = tick_label(value);
    draw_box(image, x, f.top, x, f.bottom, kGridColour);
    draw_text(image, x - text_width(label, kScale) / 2, f.bottom + 8, label, kInk, kScale);
  }
  for (const double value : y_axis.ticks(std::max<int64_t>((f.bottom - f.top) / 60, 2))) {
    const auto y = f.bottom - std::lround(y_axis.position(value) * static_cast<double>(f.bottom - f.top));
    const auto label = tick_label(value);
    draw_box(image, f.left, y, f.right, y, kGridColour);
    draw_text(image, f.left - 8 - text_width(label, kScale), y - kLine / 2 + 1, label, kInk, kScale);
  }
  draw_box(image, f.left, f.top, f.left, f.bottom, kInk);
  draw_box(image, f.left, f.bottom, f.right, f.bottom, kInk);
}

void draw_labels(Image& image, const Frame& f, const PlotOptions& o) {
  const auto middle = (f.left + f.right) / 2;
  draw_text(image, middle - text_width(o.title, kScale) / 2, 10, o.title, kInk, kScale);
  draw_text(image, middle - text_width(o.x_label, kScale) / 2, image.height - kLine - 2, o.x_label, kInk,
            kScale);
  draw_text_upwards(image, 4, (f.top + f.bottom) / 2 + text_width(o.y_label, kScale) / 2, o.y_label, kInk,
                    kScale);
}

// The look of a series: a colour, and strokes where all colours are taken.
class Pen {
 public:
  Pen(Image& image, const Frame& frame, size_t series)
      : image_(image),
        frame_(frame),
        colour_(kColours[series % std::size(kColours)]),
        stroke_(kStrokes[series / std::size(kColours) % kStrokes.size()]) {}

  void line(Point a, Point b) {
    const double length = std::hypot(b.x - a.x, b.y - a.y);
    const auto at = [&](double way) {
      const double r = length > 0 ? way / length : 0;
      return Point{a.x + r * (b.x - a.x), a.y + r * (b.y - a.y)};
    };
    const double period = stroke_.first + stroke_.second;
    for (double way = 0;;) {
      const double phase = std::fmod(drawn_ + way, period);
      const double end = std::min(length, way + (phase < stroke_.first ? stroke_.first : period) - phase);
      if (phase < stroke_.first) draw_segment(image_, frame_, at(way), at(end), colour_);
      if (end >= length) break;
      way = std::max(end, way + 1e-3);  // Rounding must not stop the walk.
    }
    drawn_ += length;
  }

 private:
  Image& image_;
  Frame frame_;
  Rgb colour_;
  std::pair<double, double> stroke_;
  double drawn_ = 0;
};

void draw_curve(Pen pen, const Frame& f, const PlotAxis& x_axis, const PlotAxis& y_axis,
                const PlotSeries& s) {
  bool joined = false;
  Point last{};
  for (size_t i = 0; i < s.x.size(); ++i) {
    const bool visible = x_axis.drawable(s.x[i]) && y_axis.drawable(s.y[i]);
    if (visible) {
      const Point point = place(f, x_axis, y_axis, s.x[i], s.y[i]);
      pen.line(joined ? last : point, point);
      last = point;
    }
    joined = visible;
  }
}

// Pixels that the legend takes, 0 without names.
int64_t legend_width(std::span<const PlotSeries> series) {
  int64_t widest = 0;
  for (const auto& s : series) widest = std::max(widest, text_width(s.name, kScale));
  return widest > 0 ? widest + 54 : 0;
}

// In the upper right corner, where falling curves leave room; many series have it beside the frame.
void draw_legend(Image& image, const Frame& f, std::span<const PlotSeries> series) {
  const auto rows =
      std::count_if(series.begin(), series.end(), [](const auto& s) { return !s.name.empty(); });
  if (rows == 0) return;
  const bool beside = series.size() > kMostInside;
  const int64_t left = beside ? f.right + 20 : f.right - legend_width(series) + 8;
  if (!beside) draw_box(image, left - 8, f.top, f.right, f.top + rows * (kLine + 2) + 8, kWhite);
  const Frame whole{0, 0, image.width - 1, image.height - 1};
  double y = static_cast<double>(f.top + 6);
  for (size_t i = 0; i < series.size(); ++i) {
    if (series[i].name.empty()) continue;
    const auto x = static_cast<double>(left);
    Pen(image, whole, i).line({x, y + 7}, {x + 27, y + 7});
    draw_text(image, left + 34, static_cast<int64_t>(y), series[i].name, kInk, kScale);
    y += static_cast<double>(kLine + 2);
  }
}

}  // namespace

Image plot_lines(std::span<const PlotSeries> series, const PlotOptions& o) {
  check(o.width >= 200 && o.height >= 200 && o.width <= 8192 && o.height <= 8192,
        "plot_lines: expected a size of 200..8192, got ", o.width, "x", o.height);
  std::vector<const std::vector<double>*> xs, ys;
  for (const auto& s : series) {
    check(s.x.size() == s.y.size(), "plot_lines: series '", s.name, "' has ", s.x.size(), " x and ",
          s.y.size(), " y");
    xs.push_back(&s.x);
    ys.push_back(&s.y);
  }
  const PlotAxis x_axis(xs, o.log_x), y_axis(ys, o.log_y);
  int64_t label_width = 0;
  const Frame top_bottom{0, 14 + (o.title.empty() ? 0 : kLine + 6), 0,
                         o.height - (o.x_label.empty() ? 34 : 56)};
  for (const double value : y_axis.ticks(std::max<int64_t>((top_bottom.bottom - top_bottom.top) / 60, 2))) {
    label_width = std::max(label_width, text_width(tick_label(value), kScale));
  }
  const int64_t legend = series.size() > kMostInside ? std::min(legend_width(series), o.width / 2) : 0;
  const Frame frame{label_width + 14 + (o.y_label.empty() ? 0 : kLine + 6), top_bottom.top,
                    o.width - 36 - legend, top_bottom.bottom};
  Image image = make_image(o.width, o.height, 3, 255);
  draw_axes(image, frame, x_axis, y_axis);
  for (size_t i = 0; i < series.size(); ++i) {
    draw_curve(Pen(image, frame, i), frame, x_axis, y_axis, series[i]);
  }
  draw_legend(image, frame, series);
  draw_labels(image, frame, o);
  return image;
}

}  // namespace ldm
