#include "ldm/data/blur.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "ldm/core/error.h"

namespace ldm {
namespace {

// Normalised values of `density` at positions relative to the middle; nothing anywhere: a single pixel.
BlurKernel make_blur_kernel(int64_t size, const std::function<double(double x, double y)>& density) {
  check(size >= 1, "BlurKernel: expected a size >= 1, got ", size);
  BlurKernel kernel{size, std::vector<double>(static_cast<size_t>(size * size))};
  const double middle = static_cast<double>(size - 1) / 2;
  for (int64_t i = 0; i < size * size; ++i) {
    kernel.weights[static_cast<size_t>(i)] =
        density(static_cast<double>(i % size) - middle, static_cast<double>(i / size) - middle);
  }
  const double sum = std::accumulate(kernel.weights.begin(), kernel.weights.end(), 0.0);
  if (!(sum > 0)) return {};
  for (double& w : kernel.weights) w /= sum;
  return kernel;
}

// Positions of a line that goes on mirrored at its ends, for -reach..size - 1 + reach.
std::vector<int64_t> mirrored_positions(int64_t size, int64_t reach) {
  std::vector<int64_t> out;
  const int64_t period = std::max<int64_t>(1, 2 * (size - 1));
  for (int64_t i = -reach; i < size + reach; ++i) {
    const int64_t folded = ((i % period) + period) % period;
    out.push_back(std::min(folded, period - folded));
  }
  if (size == 1) std::fill(out.begin(), out.end(), 0);
  return out;
}

}  // namespace

FloatImage to_floats(const Image& rgb) {
  FloatImage out{rgb.width, rgb.height, {}};
  out.pixels.reserve(rgb.pixels.size());
  for (const uint8_t v : rgb.pixels) out.pixels.push_back(static_cast<float>(v) / 255.0F);
  return out;
}

Image to_levels(const FloatImage& image) {
  Image out = make_image(image.width, image.height, 3);
  for (size_t i = 0; i < out.pixels.size(); ++i) {
    out.pixels[i] = static_cast<uint8_t>(std::rint(std::clamp(image.pixels[i], 0.0F, 1.0F) * 255.0F));
  }
  return out;
}

void clip_unit(FloatImage& image) {
  for (float& v : image.pixels) v = std::clamp(v, 0.0F, 1.0F);
}

BlurKernel gaussian_kernel(int64_t size, double sigma) {
  const double scale = 2 * std::max(sigma * sigma, 1e-12);
  return make_blur_kernel(size, [&](double x, double y) { return std::exp(-(x * x + y * y) / scale); });
}

BlurKernel anisotropic_kernel(int64_t size, double theta, double l1, double l2) {
  const double c = std::cos(theta), s = std::sin(theta);
  const double along = 2 * std::max(l1, 1e-12), across = 2 * std::max(l2, 1e-12);
  return make_blur_kernel(size, [&](double x, double y) {
    const double u = c * x + s * y, v = c * y - s * x;
    return std::exp(-u * u / along - v * v / across);
  });
}

BlurKernel shift_kernel(const BlurKernel& kernel, int64_t factor) {
  const double shift = static_cast<double>(factor - 1) / 2;
  const int64_t last = kernel.size - 1;
  const auto at = [&](int64_t y, int64_t x) {
    return kernel.weights[static_cast<size_t>(std::min(y, last) * kernel.size + std::min(x, last))];
  };
  BlurKernel out = kernel;
  double sum = 0;
  for (int64_t y = 0; y < kernel.size; ++y) {
    for (int64_t x = 0; x < kernel.size; ++x) {
      const double fy = std::min(static_cast<double>(y) + shift, static_cast<double>(last));
      const double fx = std::min(static_cast<double>(x) + shift, static_cast<double>(last));
      const auto y0 = static_cast<int64_t>(fy), x0 = static_cast<int64_t>(fx);
      const double ty = fy - static_cast<double>(y0), tx = fx - static_cast<double>(x0);
      const double w = (1 - ty) * ((1 - tx) * at(y0, x0) + tx * at(y0, x0 + 1)) +
                       ty * ((1 - tx) * at(y0 + 1, x0) + tx * at(y0 + 1, x0 + 1));
      out.weights[static_cast<size_t>(y * kernel.size + x)] = w;
      sum += w;
    }
  }
  if (!(sum > 0)) return kernel;
  for (double& w : out.weights) w /= sum;
  return out;
}

FloatImage blur(const FloatImage& image, const BlurKernel& kernel) {
  const int64_t size = kernel.size, middle = size / 2;
  const auto rows = mirrored_positions(image.height, size), columns = mirrored_positions(image.width, size);
  FloatImage out{image.width, image.height, std::vector<float>(image.pixels.size())};
  for (int64_t y = 0; y < image.height; ++y) {
    for (int64_t x = 0; x < image.width; ++x) {
      double sum[3] = {0, 0, 0};
      for (int64_t i = 0; i < size; ++i) {
        const float* row = &image.pixels[static_cast<size_t>(
            rows[static_cast<size_t>(y + middle - i + size)] * image.width * 3)];
        const double* w = &kernel.weights[static_cast<size_t>(i * size)];
        for (int64_t j = 0; j < size; ++j) {
          const float* pixel = row + columns[static_cast<size_t>(x + middle - j + size)] * 3;
          for (int c = 0; c < 3; ++c) sum[c] += w[j] * static_cast<double>(pixel[c]);
        }
      }
      float* pixel = &out.pixels[static_cast<size_t>((y * image.width + x) * 3)];
      for (int c = 0; c < 3; ++c) pixel[c] = static_cast<float>(sum[c]);
    }
  }
  return out;
}

}  // namespace ldm
