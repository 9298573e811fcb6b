#include "ldm/data/bsrgan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <span>
#include <utility>
#include <vector>

#include "ldm/core/error.h"
#include "ldm/data/blur.h"
#include "ldm/data/colour_noise.h"
#include "ldm/image/jpeg.h"
#include "ldm/image/resample.h"
#include "ldm/image/resize_cv.h"

namespace ldm {
namespace {

constexpr double kHalveProbability = 0.25;
constexpr double kJpegProbability = 0.9;
constexpr int64_t kDecimationKernel = 25;

// What differs between the two chains. Ranges are inclusive.
struct BsrganOptions {
  double anisotropic_width;                  // Largest variance of a blur, pixels squared.
  double isotropic_width;                    // Largest standard deviation of a blur, pixels.
  int64_t kernel_step, kernel_low;           // Kernels are kernel_step * U + 3 wide;
  int64_t anisotropic_high, isotropic_high;  // U in kernel_low..one of these.
  int64_t blurs;                             // One or two of the shuffled operations.
  double resize_probability;                 // Of resizing as first downsampling, not decimation.
  int64_t noise_low, noise_high;             // Standard deviation in grey levels.
  int64_t jpeg_low, jpeg_high;               // Quality.
};

BsrganOptions bsrgan_options(BsrganKind kind, int64_t factor) {
  const auto f = static_cast<double>(factor);
  if (kind == BsrganKind::kFull) return {4 + f, 2 + 0.2 * f, 2, 2, 11, 11, 2, 0.75, 2, 25, 30, 95};
  return {(4 + f) / 4, (2 + 0.2 * f) / 4, 1, 2, 11, 4, 1, 0.8, 1, 2, 80, 95};
}

int64_t between(int64_t low, int64_t high, Random& random) { return low + random.below(high - low + 1); }
double between(double low, double high, Random& random) { return low + (high - low) * random.uniform(); }

FloatImage resize_floats(const FloatImage& image, int64_t width, int64_t height, CvFilter filter) {
  width = std::max<int64_t>(width, 1);
  height = std::max<int64_t>(height, 1);
  FloatImage out{width, height, resize_cv(image.pixels, image.width, image.height, 3, width, height, filter)};
  clip_unit(out);
  return out;
}

CvFilter draw_filter(Random& random) {
  constexpr CvFilter kChoices[] = {CvFilter::kLinear, CvFilter::kCubic, CvFilter::kArea};
  return kChoices[random.below(3)];
}

// MATLAB's imresize by 1/2: bicubic with antialiasing.
FloatImage halve_bicubic(const FloatImage& image) {
  const int64_t width = (image.width + 1) / 2, height = (image.height + 1) / 2;
  FloatImage out{width, height, std::vector<float>(static_cast<size_t>(3 * width * height))};
  for (size_t c = 0; c < 3; ++c) {
    std::vector<float> plane;
    for (size_t i = c; i < image.pixels.size(); i += 3) plane.push_back(image.pixels[i]);
    plane = resize_plane(plane, image.width, image.height, width, height, Filter::kBicubic);
    for (size_t i = 0; i < plane.size(); ++i) out.pixels[3 * i + c] = plane[i];
  }
  clip_unit(out);
  return out;
}

FloatImage jpeg_round_trip(const FloatImage& image, const BsrganOptions& o, Random& random) {
  return to_floats(
      decode_jpeg(encode_jpeg(to_levels(image), between(o.jpeg_low, o.jpeg_high, random))).image);
}

// One picture on its way through the chain.
class BsrganChain {
 public:
  BsrganChain(const Image& image, int64_t factor, BsrganKind kind, Random& random)
      : image_(to_floats(image)), factor_(factor), kind_(kind), random_(random) {}

  Image run() {
    if (factor_ == 4 && random_.uniform() < kHalveProbability) halve();
    options_ = bsrgan_options(kind_, factor_);
    final_width_ = image_.width / factor_;
    final_height_ = image_.height / factor_;
    for (const int operation : draw_order()) apply(operation);
    image_ = jpeg_round_trip(image_, options_, random_);
    return to_levels(image_);
  }

 private:
  enum Operation { kBlur, kSecondBlur, kDownsample, kResize, kNoise, kJpeg, kNothing, kOperations };

  // A random order, kDownsample and kResize swapped if they stand the wrong way round.
  std::array<int, kOperations> draw_order() {
    std::array<int, kOperations> order{};
    for (int i = 0; i < kOperations; ++i) order[static_cast<size_t>(i)] = i;
    for (int64_t i = kOperations - 1; i > 0; --i) {
      std::swap(order[static_cast<size_t>(i)], order[static_cast<size_t>(random_.below(i + 1))]);
    }
    const auto first = std::find(order.begin(), order.end(), int{kDownsample});
    const auto second = std::find(order.begin(), order.end(), int{kResize});
    if (first > second) std::iter_swap(first, second);
    return order;
  }

  void apply(int operation) {
    if (operation == kBlur || (operation == kSecondBlur && options_.blurs == 2)) add_blur();
    if (operation == kDownsample) downsample();
    if (operation == kResize) {
      image_ = resize_floats(image_, final_width_, final_height_, draw_filter(random_));
    }
    if (operation == kNoise) add_colour_noise(image_, options_.noise_low, options_.noise_high, random_);
    if (operation == kJpeg && random_.uniform() < kJpegProbability) {
      image_ = jpeg_round_trip(image_, options_, random_);
    }
  }

  void halve() {
    image_ = random_.uniform() < 0.5
                 ? resize_floats(image_, image_.width / 2, image_.height / 2, draw_filter(random_))
                 : halve_bicubic(image_);
    factor_ = 2;
  }

  void add_blur() {
    const auto& o = options_;
    if (random_.uniform() < 0.5) {
      const double l1 = o.anisotropic_width * random_.uniform(), l2 = o.anisotropic_width * random_.uniform();
      const int64_t size = o.kernel_step * between(o.kernel_low, o.anisotropic_high, random_) + 3;
      image_ = blur(image_, anisotropic_kernel(size, random_.uniform() * std::numbers::pi, l1, l2));
    } else {
      const int64_t size = o.kernel_step * between(o.kernel_low, o.isotropic_high, random_) + 3;
      image_ = blur(image_, gaussian_kernel(size, o.isotropic_width * random_.uniform()));
    }
  }

  void downsample() {
    const auto factor = static_cast<double>(factor_);
    if (random_.uniform() < options_.resize_probability) {
      const double by = between(1.0, 2 * factor, random_);
      const auto scaled = [&](int64_t side) { return static_cast<int64_t>(static_cast<double>(side) / by); };
      image_ = resize_floats(image_, scaled(image_.width), scaled(image_.height), draw_filter(random_));
    } else {
      const auto kernel = gaussian_kernel(kDecimationKernel, between(0.1, 0.6 * factor, random_));
      decimate(blur(image_, shift_kernel(kernel, factor_)));
    }
  }

  // Every factor-th pixel.
  void decimate(const FloatImage& from) {
    image_ = {(from.width + factor_ - 1) / factor_, (from.height + factor_ - 1) / factor_, {}};
    for (int64_t y = 0; y < from.height; y += factor_) {
      for (int64_t x = 0; x < from.width; x += factor_) {
        const float* pixel = &from.pixels[static_cast<size_t>(3 * (y * from.width + x))];
        image_.pixels.insert(image_.pixels.end(), pixel, pixel + 3);
      }
    }
    clip_unit(image_);
  }

  FloatImage image_;
  int64_t factor_;
  BsrganKind kind_;
  Random& random_;
  BsrganOptions options_{};
  int64_t final_width_ = 0, final_height_ = 0;
};

}  // namespace

Image degrade_bsrgan(const Image& image, int64_t factor, BsrganKind kind, Random& random) {
  check(image.channels == 3 && factor >= 1 && image.width >= factor && image.height >= factor,
        "degrade_bsrgan: expected an RGB picture of at least ", factor, "x", factor, ", got ", image.width,
        "x", image.height, " with ", image.channels, " channels");
  const Image whole =
      crop(image, 0, 0, image.width - image.width % factor, image.height - image.height % factor);
  return BsrganChain(whole, factor, kind, random).run();
}

}  // namespace ldm
