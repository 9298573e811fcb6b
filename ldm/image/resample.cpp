#include "ldm/image/resample.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "ldm/core/error.h"

namespace ldm {
namespace {

constexpr int kPrecisionBits = 32 - 8 - 2;  // A sum of 8-bit values times signed coefficients fits 32 bits.
constexpr int64_t kMaxSide = 65'536;

double sinc(double x) { return x == 0 ? 1.0 : std::sin(x * std::numbers::pi) / (x * std::numbers::pi); }

double support_of(Filter filter) {
  switch (filter) {
    case Filter::kBox:
      return 0.5;
    case Filter::kBicubic:
      return 2.0;
    case Filter::kLanczos:
      return 3.0;
    default:
      return 1.0;
  }
}

double bicubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0.0;
}

double hamming(double x) {
  x = std::abs(x);
  if (x == 0) return 1.0;
  if (x >= 1) return 0.0;
  x *= std::numbers::pi;
  return std::sin(x) / x * (0.54f + 0.46f * std::cos(x));  // Pillow's constants are floats.
}

double weight(Filter filter, double x) {
  switch (filter) {
    case Filter::kBox:
      return x > -0.5 && x <= 0.5 ? 1.0 : 0.0;
    case Filter::kBilinear:
      return std::max(0.0, 1.0 - std::abs(x));
    case Filter::kHamming:
      return hamming(x);
    case Filter::kBicubic:
      return bicubic(x);
    default:
      return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0.0;
  }
}

// For each output position the first input position and the weights from there on: `taps` places each,
// `count` used.
struct Window {
  int64_t first, count;
};
template <typename T>
struct Kernel {
  int64_t taps = 0;
  std::vector<Window> windows;
  std::vector<T> weights;
};

Kernel<double> make_kernel(int64_t in, int64_t out, Filter filter) {
  const double scale = static_cast<double>(in) / static_cast<double>(out);
  const double stretch = std::max(scale, 1.0);
  const double support = support_of(filter) * stretch;
  Kernel<double> kernel;
  kernel.taps = static_cast<int64_t>(std::ceil(support)) * 2 + 1;
  kernel.weights.resize(static_cast<size_t>(out * kernel.taps));
  for (int64_t i = 0; i < out; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * scale;
    const double inverse = 1.0 / stretch;
    const auto first = std::max<int64_t>(0, static_cast<int64_t>(centre - support + 0.5));
    const auto last = std::min<int64_t>(in, static_cast<int64_t>(centre + support + 0.5));
    double* w = &kernel.weights[static_cast<size_t>(i * kernel.taps)];
    double sum = 0;
    for (int64_t x = 0; x < last - first; ++x) {
      w[x] = weight(filter, (static_cast<double>(x + first) - centre + 0.5) * inverse);
      sum += w[x];
    }
    for (int64_t x = 0; x < last - first && sum != 0; ++x) w[x] /= sum;
    kernel.windows.push_back({first, last - first});
  }
  return kernel;
}

Kernel<int32_t> to_fixed(const Kernel<double>& kernel) {
  Kernel<int32_t> fixed{kernel.taps, kernel.windows, {}};
  fixed.weights.reserve(kernel.weights.size());
  for (const double w : kernel.weights) {
    fixed.weights.push_back(static_cast<int32_t>((w < 0 ? -0.5 : 0.5) + w * (1 << kPrecisionBits)));
  }
  return fixed;
}

// What the passes need to know of a pixel type: its weights, its sums and how a sum ends.
struct Bytes {
  using Value = uint8_t;
  using Sum = int32_t;
  static constexpr Sum kStart = 1 << (kPrecisionBits - 1);
  static Value finish(Sum sum) { return static_cast<Value>(std::clamp(sum >> kPrecisionBits, 0, 255)); }
  static Kernel<Sum> kernel(int64_t in, int64_t out, Filter filter) {
    return to_fixed(make_kernel(in, out, filter));
  }
};
struct Floats {
  using Value = float;
  using Sum = double;
  static constexpr Sum kStart = 0;
  static Value finish(Sum sum) { return static_cast<Value>(sum); }
  static Kernel<Sum> kernel(int64_t in, int64_t out, Filter filter) { return make_kernel(in, out, filter); }
};

// `channels` values side by side.
template <typename Value>
struct Pixels {
  int64_t width, height, channels;
  std::vector<Value> data;
  Value* row(int64_t y) { return data.data() + y * width * channels; }
  const Value* row(int64_t y) const { return data.data() + y * width * channels; }
};

template <typename Kind, int64_t kChannels>
void horizontal_row(const typename Kind::Value* in, typename Kind::Value* out,
                    const Kernel<typename Kind::Sum>& k) {
  for (size_t x = 0; x < k.windows.size(); ++x, out += kChannels) {
    const auto* w = &k.weights[x * static_cast<size_t>(k.taps)];
    const auto* p = in + k.windows[x].first * kChannels;
    typename Kind::Sum sum[kChannels];
    for (auto& s : sum) s = Kind::kStart;
    for (int64_t i = 0; i < k.windows[x].count; ++i, p += kChannels) {
      for (int64_t c = 0; c < kChannels; ++c) sum[c] += static_cast<typename Kind::Sum>(p[c]) * w[i];
    }
    for (int64_t c = 0; c < kChannels; ++c) out[c] = Kind::finish(sum[c]);
  }
}

template <typename Kind, typename Value = typename Kind::Value>
Pixels<Value> horizontal(const Pixels<Value>& in, int64_t width, Filter filter) {
  const auto kernel = Kind::kernel(in.width, width, filter);
  Pixels<Value> out{width, in.height, in.channels, {}};
  out.data.resize(static_cast<size_t>(width * in.height * in.channels));
  const auto pass = in.channels == 1   ? horizontal_row<Kind, 1>
                    : in.channels == 3 ? horizontal_row<Kind, 3>
                                       : horizontal_row<Kind, 4>;
  for (int64_t y = 0; y < in.height; ++y) pass(in.row(y), out.row(y), kernel);
  return out;
}

template <typename Kind, typename Value = typename Kind::Value>
Pixels<Value> vertical(const Pixels<Value>& in, int64_t height, Filter filter) {
  const auto kernel = Kind::kernel(in.height, height, filter);
  Pixels<Value> out{in.width, height, in.channels, {}};
  const auto stride = static_cast<size_t>(in.width * in.channels);
  out.data.resize(stride * static_cast<size_t>(height));
  std::vector<typename Kind::Sum> sums(stride);
  for (int64_t y = 0; y < height; ++y) {
    std::fill(sums.begin(), sums.end(), Kind::kStart);
    const auto [first, count] = kernel.windows[static_cast<size_t>(y)];
    for (int64_t i = 0; i < count; ++i) {
      const auto w = kernel.weights[static_cast<size_t>(y * kernel.taps + i)];
      const Value* p = in.row(first + i);
      for (size_t x = 0; x < stride; ++x) sums[x] += static_cast<typename Kind::Sum>(p[x]) * w;
    }
    std::transform(sums.begin(), sums.end(), out.row(y), Kind::finish);
  }
  return out;
}

// Input positions as Pillow finds them: in/out is added up, which decides exact ties.
std::vector<int64_t> nearest_positions(int64_t in, int64_t out) {
  const double step = static_cast<double>(in) / static_cast<double>(out);
  std::vector<int64_t> positions;
  double at = step * 0.5;
  for (int64_t i = 0; i < out; ++i, at += step)
    positions.push_back(std::clamp<int64_t>(static_cast<int64_t>(at), 0, in - 1));
  return positions;
}

template <typename Value>
Pixels<Value> nearest(const Pixels<Value>& in, int64_t width, int64_t height) {
  Pixels<Value> out{width, height, in.channels, {}};
  out.data.reserve(static_cast<size_t>(width * height * in.channels));
  const auto columns = nearest_positions(in.width, width);
  for (const int64_t y : nearest_positions(in.height, height)) {
    for (const int64_t x : columns) {
      const Value* p = in.row(y) + x * in.channels;
      out.data.insert(out.data.end(), p, p + in.channels);
    }
  }
  return out;
}

template <typename Kind, typename Value = typename Kind::Value>
Pixels<Value> resample(Pixels<Value> in, int64_t width, int64_t height, Filter filter) {
  check(width >= 1 && height >= 1 && width <= kMaxSide && height <= kMaxSide, "resize: expected sizes of 1..",
        kMaxSide, ", got ", width, "x", height);
  if (width == in.width && height == in.height) return in;
  if (filter == Filter::kNearest) return nearest(in, width, height);
  const bool vertical_first = in.height - height > 2 * std::max<int64_t>(in.width - width, 0);
  if (vertical_first) in = vertical<Kind>(in, height, filter);
  if (width != in.width) in = horizontal<Kind>(in, width, filter);
  if (height != in.height) in = vertical<Kind>(in, height, filter);
  return in;
}

void premultiply(std::vector<uint8_t>& rgba) {
  for (size_t i = 0; i < rgba.size(); i += 4) {
    for (size_t c = 0; c < 3; ++c) {
      const int t = rgba[i + c] * rgba[i + 3] + 128;
      rgba[i + c] = static_cast<uint8_t>(((t >> 8) + t) >> 8);
    }
  }
}

void unpremultiply(std::vector<uint8_t>& rgba) {
  for (size_t i = 0; i < rgba.size(); i += 4) {
    const int alpha = rgba[i + 3];
    if (alpha == 0 || alpha == 255) continue;
    for (size_t c = 0; c < 3; ++c)
      rgba[i + c] = static_cast<uint8_t>(std::min(255 * rgba[i + c] / alpha, 255));
  }
}

}  // namespace

Filter parse_filter(std::string_view name) {
  constexpr std::string_view kNames[] = {"nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"};
  const auto* found = std::find(std::begin(kNames), std::end(kNames), name);
  check(found != std::end(kNames),
        "parse_filter: expected nearest, box, bilinear, hamming, bicubic or lanczos, got '", name, "'");
  return static_cast<Filter>(found - std::begin(kNames));
}

Image resize(const Image& image, int64_t width, int64_t height, Filter filter) {
  check_image(image, "resize");
  if (width == image.width && height == image.height) return image;
  const bool blend = image.channels == 4 && filter != Filter::kNearest;
  Pixels<uint8_t> in{image.width, image.height, image.channels, image.pixels};
  if (blend) premultiply(in.data);
  auto out = resample<Bytes>(std::move(in), width, height, filter);
  if (blend) unpremultiply(out.data);
  return {width, height, image.channels, std::move(out.data)};
}

Image cover(const Image& image, int64_t width, int64_t height, Filter filter) {
  check_image(image, "cover");
  const double scale = std::max(static_cast<double>(width) / static_cast<double>(image.width),
                                static_cast<double>(height) / static_cast<double>(image.height));
  const auto scaled = [scale](int64_t side, int64_t least) {
    return std::max<int64_t>(least, std::llround(static_cast<double>(side) * scale));
  };
  return centre_crop(resize(image, scaled(image.width, width), scaled(image.height, height), filter), width,
                     height);
}

std::vector<float> resize_plane(std::span<const float> plane, int64_t width, int64_t height,
                                int64_t out_width, int64_t out_height, Filter filter) {
  check(width >= 1 && height >= 1 && width <= kMaxSide && height <= kMaxSide &&
            plane.size() == static_cast<size_t>(width * height),
        "resize_plane: expected ", width, "x", height, " values, got ", plane.size());
  Pixels<float> in{width, height, 1, {plane.begin(), plane.end()}};
  return resample<Floats>(std::move(in), out_width, out_height, filter).data;
}

}  // namespace ldm
