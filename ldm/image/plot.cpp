#include "ldm/image/plot.h"

#include <algorithm>
#include <cmath>

#include "ldm/core/error.h"
#include "ldm/image/axis.h"
#include "ldm/image/font.h"

namespace ldm {
namespace {

constexpr Rgb kInk{40, 40, 40}, kGridColour{225, 225, 225};
// Told apart also with weak colour vision (Okabe and Ito 2008).
constexpr Rgb kColours[] = {{0, 114, 178}, {213, 94, 0},   {0, 158, 115},  {204, 121, 167},
                            {230, 159, 0}, {86, 180, 233}, {120, 120, 120}};
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

void draw_curve(Image& image, const Frame& f, const PlotAxis& x_axis, const PlotAxis& y_axis,
                const PlotSeries& s, Rgb colour) {
  bool joined = false;
  Point last{};
  for (size_t i = 0; i < s.x.size(); ++i) {
    const bool visible = x_axis.drawable(s.x[i]) && y_axis.drawable(s.y[i]);
    if (visible) {
      const Point point = place(f, x_axis, y_axis, s.x[i], s.y[i]);
      draw_segment(image, f, joined ? last : point, point, colour);
      last = point;
    }
    joined = visible;
  }
}

// In the upper right corner: where falling curves leave room.
void draw_legend(Image& image, const Frame& f, std::span<const PlotSeries> series) {
  int64_t widest = 0, rows = 0;
  for (const auto& s : series) {
    widest = std::max(widest, text_width(s.name, kScale));
    rows += !s.name.empty();
  }
  if (rows == 0) return;
  const int64_t left = f.right - widest - 46;
  draw_box(image, left - 8, f.top, f.right, f.top + rows * (kLine + 2) + 8, kWhite);
  int64_t y = f.top + 6;
  for (size_t i = 0; i < series.size(); ++i) {
    if (series[i].name.empty()) continue;
    draw_box(image, left, y + 6, left + 24, y + 8, kColours[i % std::size(kColours)]);
    draw_text(image, left + 34, y, series[i].name, kInk, kScale);
    y += kLine + 2;
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
  const Frame frame{label_width + 14 + (o.y_label.empty() ? 0 : kLine + 6), top_bottom.top, o.width - 36,
                    top_bottom.bottom};
  Image image = make_image(o.width, o.height, 3, 255);
  draw_axes(image, frame, x_axis, y_axis);
  for (size_t i = 0; i < series.size(); ++i) {
    draw_curve(image, frame, x_axis, y_axis, series[i], kColours[i % std::size(kColours)]);
  }
  draw_legend(image, frame, series);
  draw_labels(image, frame, o);
  return image;
}

}  // namespace ldm
