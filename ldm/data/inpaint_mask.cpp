#include "ldm/data/inpaint_mask.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

#include "ldm/core/error.h"

namespace ldm {
namespace {

constexpr double kReferenceSide = 512;
constexpr int kMaxTries = 20;
constexpr int64_t kTurns = 4;         // The angle is 0.01 plus 0..3 radians.
constexpr int64_t kMostSegments = 5;  // Of one stroke.

// Inclusive counts, exclusive upper bounds of lengths, as in LaMa's configurations for 512 pixels.
struct StrokeRule {
  int64_t fewest, most, width, length;
};
struct BoxRule {
  int64_t margin, smallest, largest, fewest, most;
};
struct MaskRule {
  std::optional<StrokeRule> strokes;
  std::optional<BoxRule> boxes;
};

MaskRule mask_rule(const std::string& name) {
  if (name == "thin") return {StrokeRule{4, 70, 20, 100}, {}};
  if (name == "medium") return {StrokeRule{4, 10, 100, 200}, BoxRule{0, 30, 150, 1, 5}};
  if (name == "thick") return {StrokeRule{1, 5, 250, 450}, BoxRule{10, 30, 300, 1, 4}};
  check(name == "boxes", "draw_mask: expected thin, medium, thick, boxes or mixed, got '", name, "'");
  return {{}, BoxRule{10, 30, 300, 1, 4}};
}

class MaskPainter {
 public:
  MaskPainter(int64_t width, int64_t height, Random& random)
      : mask_(make_image(width, height, 1)),
        scale_(static_cast<double>(std::min(width, height)) / kReferenceSide),
        random_(random) {}

  void add_strokes(const StrokeRule& rule) {
    const int64_t count = rule.fewest + random_.below(rule.most - rule.fewest + 1);
    for (int64_t i = 0; i < count; ++i) add_stroke(rule, i % 2 == 0);
  }

  void add_boxes(const BoxRule& rule) {
    const int64_t count = rule.fewest + random_.below(rule.most - rule.fewest + 1);
    const int64_t margin = scaled(rule.margin);
    for (int64_t i = 0; i < count; ++i) {
      const auto [x, width] = box_side(rule, margin, mask_.width);
      const auto [y, height] = box_side(rule, margin, mask_.height);
      for (int64_t row = y; row < y + height; ++row) std::fill_n(mask_.row(row) + x, width, uint8_t{255});
    }
  }

  Image take() { return std::move(mask_); }

 private:
  int64_t scaled(int64_t length) const {
    return static_cast<int64_t>(std::lround(static_cast<double>(length) * scale_));
  }

  // Where a box begins and how long it is along one side of the picture.
  std::pair<int64_t, int64_t> box_side(const BoxRule& rule, int64_t margin, int64_t side) {
    const int64_t room = std::max<int64_t>(1, side - 2 * margin);
    const int64_t drawn = scaled(rule.smallest + random_.below(rule.largest - rule.smallest));
    const int64_t length = std::clamp<int64_t>(drawn, 1, room);
    return {std::min(margin, side - 1) + random_.below(room - length + 1), length};
  }

  void add_stroke(const StrokeRule& rule, bool turned) {
    double x = random_.uniform() * static_cast<double>(mask_.width);
    double y = random_.uniform() * static_cast<double>(mask_.height);
    const int64_t segments = 1 + random_.below(kMostSegments);
    for (int64_t i = 0; i < segments; ++i) {
      double angle = 0.01 + static_cast<double>(random_.below(kTurns));
      if (turned) angle = 2 * std::numbers::pi - angle;
      const double length = static_cast<double>(10 + random_.below(rule.length)) * scale_;
      const double width = static_cast<double>(5 + random_.below(rule.width)) * scale_;
      const double end_x = std::clamp(x + length * std::sin(angle), 0.0, static_cast<double>(mask_.width));
      const double end_y = std::clamp(y + length * std::cos(angle), 0.0, static_cast<double>(mask_.height));
      add_segment(x, y, end_x, end_y, std::max(width, 1.0) / 2);
      x = end_x;
      y = end_y;
    }
  }

  // All pixels whose middle is within `radius` of the line.
  void add_segment(double x0, double y0, double x1, double y1, double radius) {
    const auto low = [&](double a, double b) {
      return std::max<int64_t>(0, static_cast<int64_t>(std::floor(std::min(a, b) - radius)));
    };
    const auto high = [&](double a, double b, int64_t side) {
      return std::min(side, static_cast<int64_t>(std::ceil(std::max(a, b) + radius)) + 1);
    };
    const double dx = x1 - x0, dy = y1 - y0, squared = std::max(dx * dx + dy * dy, 1e-12);
    for (int64_t row = low(y0, y1); row < high(y0, y1, mask_.height); ++row) {
      for (int64_t column = low(x0, x1); column < high(x0, x1, mask_.width); ++column) {
        const double px = static_cast<double>(column) + 0.5 - x0, py = static_cast<double>(row) + 0.5 - y0;
        const double t = std::clamp((px * dx + py * dy) / squared, 0.0, 1.0);
        const double ex = px - t * dx, ey = py - t * dy;
        if (ex * ex + ey * ey <= radius * radius) mask_.row(row)[column] = 255;
      }
    }
  }

  Image mask_;
  double scale_;
  Random& random_;
};

Image draw_once(int64_t width, int64_t height, const MaskOptions& options, Random& random) {
  constexpr const char* kMixed[] = {"thin", "medium", "thick", "boxes"};
  const MaskRule rule = mask_rule(options.strokes == "mixed" ? kMixed[random.below(4)] : options.strokes);
  const double boxes = options.box_probability / (1 + options.box_probability);
  const bool use_boxes = rule.boxes && (!rule.strokes || random.uniform() < boxes);
  MaskPainter painter(width, height, random);
  use_boxes ? painter.add_boxes(*rule.boxes) : painter.add_strokes(*rule.strokes);
  return painter.take();
}

}  // namespace

void check_mask_options(const MaskOptions& options) {
  if (options.strokes != "mixed") mask_rule(options.strokes);
  check(options.box_probability >= 0 && options.box_probability < 1e6,
        "draw_mask: expected box_probability >= 0, got ", options.box_probability);
  check(options.max_area > 0 && options.max_area <= 1, "draw_mask: expected max_area in (0, 1], got ",
        options.max_area);
}

Image draw_mask(int64_t width, int64_t height, const MaskOptions& options, Random random) {
  check_mask_options(options);
  const double pixels = static_cast<double>(width) * static_cast<double>(height);
  Image smallest;
  int64_t smallest_count = 0;
  for (int i = 0; i < kMaxTries; ++i) {
    Image mask = draw_once(width, height, options, random);
    const int64_t count = std::count(mask.pixels.begin(), mask.pixels.end(), uint8_t{255});
    if (count == 0) continue;
    if (smallest.empty() || count < smallest_count) {
      smallest = std::move(mask);
      smallest_count = count;
    }
    if (static_cast<double>(smallest_count) <= options.max_area * pixels) break;
  }
  if (smallest.empty()) {
    smallest = make_image(width, height, 1);
    smallest.pixels[static_cast<size_t>(random.below(width * height))] = 255;
  }
  return smallest;
}

Image apply_mask(const Image& image, const Image& mask) {
  check(mask.channels == 1 && mask.width == image.width && mask.height == image.height,
        "apply_mask: expected a mask ", image.width, "x", image.height, " with 1 channel, got ", mask.width,
        "x", mask.height, " with ", mask.channels);
  Image out = image;
  for (size_t i = 0; i < mask.pixels.size(); ++i) {
    if (mask.pixels[i] < 128) continue;
    const size_t first = i * static_cast<size_t>(image.channels);
    std::fill_n(out.pixels.begin() + static_cast<int64_t>(first), image.channels, uint8_t{0});
  }
  return out;
}

}  // namespace ldm
