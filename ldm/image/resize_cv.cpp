#include "ldm/image/resize_cv.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <numbers>

#include "ldm/core/error.h"

namespace ldm {
namespace {

constexpr int64_t kMaxCvSide = 65'536;

// For each output position `size` input positions and their weights.
struct Tap {
  int64_t position;
  float weight;
};
using AxisTaps = std::vector<std::vector<Tap>>;

// Sizes of one axis. `scale` input steps make one output step; OpenCV divides twice, which decides ties.
struct CvAxis {
  CvAxis(int64_t in_size, int64_t out_size, bool is_columns)
      : in(in_size),
        out(out_size),
        inverse(static_cast<double>(out) / static_cast<double>(in)),
        scale(1 / inverse),
        columns(is_columns) {}
  int64_t clamp(int64_t position) const { return std::clamp<int64_t>(position, 0, in - 1); }
  bool whole() const { return in % out == 0; }

  int64_t in, out;
  double inverse, scale;
  bool
      columns;  // Horizontal: there the outermost pixels get their whole weight, vertically two of its parts.
};

AxisTaps cv_nearest(const CvAxis& axis) {
  AxisTaps taps;
  for (int64_t i = 0; i < axis.out; ++i) {
    taps.push_back(
        {{axis.clamp(static_cast<int64_t>(std::floor(static_cast<double>(i) * axis.scale))), 1.0F}});
  }
  return taps;
}

// Keys 1981 with a = -0.75, at distances x + 1, x, 1 - x, 2 - x.
std::vector<float> cv_cubic(float x) {
  constexpr float a = -0.75F;
  const auto inner = [](float t) { return ((a + 2) * t - (a + 3)) * t * t + 1; };
  const float first = ((a * (x + 1) - 5 * a) * (x + 1) + 8 * a) * (x + 1) - 4 * a;
  const float second = inner(x), third = inner(1 - x);
  return {first, second, third, 1 - first - second - third};
}

// sinc(t) sinc(t / 4) at the eight neighbours, normalised.
std::vector<float> cv_lanczos4(float x) {
  const auto sinc = [](double t) {
    return t == 0 ? 1.0 : std::sin(std::numbers::pi * t) / (std::numbers::pi * t);
  };
  std::vector<float> weights;
  double sum = 0;
  std::array<double, 8> exact{};
  for (int i = 0; i < 8; ++i) {
    const double t = static_cast<double>(x) + 3 - i;
    exact[static_cast<size_t>(i)] = sinc(t) * sinc(t / 4);
    sum += exact[static_cast<size_t>(i)];
  }
  for (const double w : exact) weights.push_back(static_cast<float>(w / sum));
  return weights;
}

AxisTaps cv_interpolating(const CvAxis& axis, CvFilter filter) {
  AxisTaps taps;
  for (int64_t i = 0; i < axis.out; ++i) {
    double at = (static_cast<double>(i) + 0.5) * axis.scale - 0.5;
    if (filter == CvFilter::kLanczos4) at = static_cast<float>(at);
    auto first = static_cast<int64_t>(std::floor(at));
    auto x = static_cast<float>(at - static_cast<double>(first));
    if (filter == CvFilter::kLinear && axis.columns && (first < 0 || first >= axis.in - 1)) x = 0;
    const auto weights = filter == CvFilter::kLinear  ? std::vector<float>{1 - x, x}
                         : filter == CvFilter::kCubic ? cv_cubic(x)
                                                      : cv_lanczos4(x);
    first -= static_cast<int64_t>(weights.size()) / 2 - 1;
    auto& row = taps.emplace_back();
    for (const float w : weights) row.push_back({axis.clamp(first++), w});
  }
  return taps;
}

// kArea where a side grows: linear, but each input pixel keeps a flat part.
AxisTaps cv_area_growing(const CvAxis& axis) {
  AxisTaps taps;
  for (int64_t i = 0; i < axis.out; ++i) {
    const auto first = static_cast<int64_t>(std::floor(static_cast<double>(i) * axis.scale));
    auto x = static_cast<float>(static_cast<double>(i + 1) - static_cast<double>(first + 1) * axis.inverse);
    x = x <= 0 ? 0 : x - std::floor(x);
    if (first >= axis.in - 1) x = 0;
    taps.push_back({{axis.clamp(first), 1 - x}, {axis.clamp(first + 1), x}});
  }
  return taps;
}

// kArea where both sides shrink: how much of each input pixel lies under the output pixel.
AxisTaps cv_area_shrinking(const CvAxis& axis) {
  AxisTaps taps;
  for (int64_t i = 0; i < axis.out; ++i) {
    const double begin = static_cast<double>(i) * axis.scale, end = begin + axis.scale;
    const double cell = std::min(axis.scale, static_cast<double>(axis.in) - begin);
    const auto last = std::min(static_cast<int64_t>(std::floor(end)), axis.in - 1);
    const auto first = std::min(static_cast<int64_t>(std::ceil(begin)), last);
    const double before = static_cast<double>(first) - begin, after = end - static_cast<double>(last);
    auto& row = taps.emplace_back();
    if (before > 1e-3) row.push_back({first - 1, static_cast<float>(before / cell)});
    for (int64_t x = first; x < last; ++x) row.push_back({x, static_cast<float>(1 / cell)});
    if (after > 1e-3) {
      row.push_back({last, static_cast<float>(std::min(std::min(after, 1.0), cell) / cell)});
    }
  }
  return taps;
}

struct CvTaps {
  AxisTaps x, y;
  bool area = false;    // Exact averages.
  bool halved = false;  // Both sides exactly: four pixels to one.
  bool whole = false;   // An area of whole pixels.
};

CvTaps make_cv_taps(const CvAxis& x, const CvAxis& y, CvFilter filter) {
  const bool shrinks = x.scale >= 1 && y.scale >= 1;
  CvTaps taps;
  taps.whole = x.whole() && y.whole();
  taps.halved = x.in == 2 * x.out && y.in == 2 * y.out;
  taps.area = shrinks && (filter == CvFilter::kArea || (filter == CvFilter::kLinear && taps.halved));
  const auto axis_taps = [&](const CvAxis& axis) {
    if (taps.area) return cv_area_shrinking(axis);
    if (filter == CvFilter::kArea) return cv_area_growing(axis);
    return filter == CvFilter::kNearest ? cv_nearest(axis) : cv_interpolating(axis, filter);
  };
  taps.x = axis_taps(x);
  taps.y = axis_taps(y);
  return taps;
}

uint8_t to_byte(float value) { return static_cast<uint8_t>(std::clamp(std::rint(value), 0.0F, 255.0F)); }

// How the passes compute: a weight and the sums (Row) of the horizontal one, a row's share in the vertical
// sum (Total), and the value that becomes of it.
struct CvFloats {
  using Row = float;
  using Total = float;
  using Value = float;
  static Row weight(float w) { return w; }
  static Total share(float w, Row row) { return w * row; }
  static Value finish(Total sum) { return sum; }
};
struct CvRounded : CvFloats {
  using Value = uint8_t;
  static Value finish(Total sum) { return to_byte(sum); }
};
// Coefficients of 11 bits in both passes.
struct CvFixed {
  using Row = int32_t;
  using Total = int32_t;
  using Value = uint8_t;
  static Row weight(float w) { return static_cast<Row>(std::lrint(w * 2048)); }
  static Total share(float w, Row row) { return weight(w) * row; }
  static Value finish(Total sum) { return static_cast<Value>(std::clamp((sum + (1 << 21)) >> 22, 0, 255)); }
};
// Two rows: OpenCV drops the low bits of each product.
struct CvFixedLinear : CvFixed {
  static Total share(float w, Row row) { return (weight(w) * (row >> 4)) >> 16; }
  static Value finish(Total sum) { return static_cast<Value>(std::clamp((sum + 2) >> 2, 0, 255)); }
};
// Sums of whole pixels; the caller divides.
struct CvSums {
  using Row = int32_t;
  using Total = int32_t;
  using Value = int32_t;
  static Row weight(float) { return 1; }
  static Total share(float, Row row) { return row; }
  static Value finish(Total sum) { return sum; }
};

// One row of the horizontal pass.
template <typename Kind, typename In>
void cv_row(const In* in, typename Kind::Row* out, const AxisTaps& taps, int64_t channels) {
  for (const auto& row : taps) {
    for (int64_t c = 0; c < channels; ++c, ++out) {
      typename Kind::Row sum = 0;
      for (const Tap& tap : row) {
        sum += Kind::weight(tap.weight) * static_cast<typename Kind::Row>(in[tap.position * channels + c]);
      }
      *out = sum;
    }
  }
}

// Both passes over interleaved pixels.
template <typename Kind, typename In>
std::vector<typename Kind::Value> cv_passes(const In* in, int64_t width, int64_t height, int64_t channels,
                                            const CvTaps& taps) {
  const auto out_stride = static_cast<int64_t>(taps.x.size()) * channels;
  std::vector<typename Kind::Row> rows(static_cast<size_t>(height * out_stride));
  for (int64_t y = 0; y < height; ++y) {
    cv_row<Kind>(in + y * width * channels, rows.data() + y * out_stride, taps.x, channels);
  }
  std::vector<typename Kind::Value> out;
  out.reserve(taps.y.size() * static_cast<size_t>(out_stride));
  std::vector<typename Kind::Total> sums(static_cast<size_t>(out_stride));
  for (const auto& column : taps.y) {
    std::fill(sums.begin(), sums.end(), typename Kind::Total{0});
    for (const Tap& tap : column) {
      const auto* row = rows.data() + tap.position * out_stride;
      for (size_t i = 0; i < sums.size(); ++i) sums[i] += Kind::share(tap.weight, row[i]);
    }
    std::transform(sums.begin(), sums.end(), std::back_inserter(out), Kind::finish);
  }
  return out;
}

// Averages of whole pixels: a half goes up for 2x2 and to even otherwise.
std::vector<uint8_t> cv_whole_area(const Image& image, const CvTaps& taps) {
  const float scale = 1.0F / static_cast<float>(taps.x[0].size() * taps.y[0].size());
  std::vector<uint8_t> out;
  for (const int32_t sum :
       cv_passes<CvSums>(image.pixels.data(), image.width, image.height, image.channels, taps)) {
    out.push_back(taps.halved ? static_cast<uint8_t>((sum + 2) >> 2)
                              : to_byte(static_cast<float>(sum) * scale));
  }
  return out;
}

void check_cv_sizes(int64_t width, int64_t height) {
  check(width >= 1 && height >= 1 && width <= kMaxCvSide && height <= kMaxCvSide,
        "resize_cv: expected sizes of 1..", kMaxCvSide, ", got ", width, "x", height);
}

}  // namespace

CvFilter parse_cv_filter(std::string_view name) {
  if (name == "nearest") return CvFilter::kNearest;
  if (name == "linear" || name == "bilinear") return CvFilter::kLinear;
  if (name == "cubic" || name == "bicubic") return CvFilter::kCubic;
  if (name == "area") return CvFilter::kArea;
  check(name == "lanczos4" || name == "lanczos",
        "parse_cv_filter: expected nearest, linear, cubic, area or lanczos4, got '", name, "'");
  return CvFilter::kLanczos4;
}

Image resize_cv(const Image& image, int64_t width, int64_t height, CvFilter filter) {
  check_image(image, "resize_cv");
  check_cv_sizes(width, height);
  if (width == image.width && height == image.height) return image;
  const CvTaps taps = make_cv_taps({image.width, width, true}, {image.height, height, false}, filter);
  const auto passes = [&](auto kind) {
    return cv_passes<decltype(kind)>(image.pixels.data(), image.width, image.height, image.channels, taps);
  };
  Image out{width, height, image.channels, {}};
  if (taps.area) {
    out.pixels = taps.whole ? cv_whole_area(image, taps) : passes(CvRounded{});
  } else if (filter == CvFilter::kNearest || filter == CvFilter::kCubic) {
    out.pixels = passes(CvRounded{});
  } else {
    out.pixels = filter == CvFilter::kLanczos4 ? passes(CvFixed{}) : passes(CvFixedLinear{});
  }
  return out;
}

std::vector<float> resize_cv(std::span<const float> pixels, int64_t width, int64_t height, int64_t channels,
                             int64_t out_width, int64_t out_height, CvFilter filter) {
  check_cv_sizes(width, height);
  check_cv_sizes(out_width, out_height);
  check(channels >= 1 && pixels.size() == static_cast<size_t>(width * height * channels),
        "resize_cv: expected ", width, "x", height, "x", channels, " values, got ", pixels.size());
  if (width == out_width && height == out_height) return {pixels.begin(), pixels.end()};
  const CvTaps taps = make_cv_taps({width, out_width, true}, {height, out_height, false}, filter);
  return cv_passes<CvFloats>(pixels.data(), width, height, channels, taps);
}

}  // namespace ldm
