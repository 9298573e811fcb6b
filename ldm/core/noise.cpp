#include "ldm/core/noise.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/randn.h>

#include <cmath>

#include "ldm/core/error.h"
#include "ldm/core/philox.h"

namespace ldm {
namespace {

// The float constants of the CUDA generator's conversion of words to uniform numbers and angles; the sine
// follows in double as web UIs compute it.
constexpr double kToUniform = 2.3283064e-10f;
constexpr double kToAngle = static_cast<float>(2.3283064e-10 * 6.2831855);

torch::Tensor philox_randn(uint64_t seed, uint32_t call, at::IntArrayRef shape) {
  const PhiloxKey key{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)};
  auto out = at::empty(shape, at::kFloat);
  float* values = out.data_ptr<float>();
  for (int64_t i = 0, n = out.numel(); i < n; ++i) {
    const auto words = philox4x32({call, 0, static_cast<uint32_t>(i), 0}, key);
    const double u = words[0] * kToUniform + kToUniform / 2;
    const double v = words[1] * kToAngle + kToAngle / 2;
    values[i] = static_cast<float>(std::sqrt(-2.0 * std::log(u)) * std::sin(v));
  }
  return out;
}

}  // namespace

NoiseKind parse_noise_kind(std::string_view text) {
  check(text == "cpu" || text == "philox", "noise (--noise): expected cpu or philox, got '", text, "'");
  return text == "cpu" ? NoiseKind::kCpu : NoiseKind::kPhilox;
}

std::string_view to_string(NoiseKind kind) { return kind == NoiseKind::kCpu ? "cpu" : "philox"; }

NoiseStream::NoiseStream(NoiseKind kind, uint64_t seed) : kind_(kind), seed_(seed) {
  if (kind == NoiseKind::kCpu) generator_ = at::make_generator<at::CPUGeneratorImpl>(seed);
}

NoiseStream::NoiseStream(const NoiseStream& other)
    : kind_(other.kind_),
      seed_(other.seed_),
      calls_(other.calls_),
      generator_(other.generator_.defined() ? other.generator_.clone() : at::Generator()) {}

NoiseStream& NoiseStream::operator=(const NoiseStream& other) {
  if (this != &other) *this = NoiseStream(other);
  return *this;
}

torch::Tensor NoiseStream::randn(at::IntArrayRef shape, at::ScalarType dtype) {
  for (const int64_t size : shape) check(size >= 0, "NoiseStream::randn: expected sizes >= 0, got ", size);
  check(at::isFloatingType(dtype), "NoiseStream::randn: expected a floating type, got ", at::toString(dtype));
  if (kind_ == NoiseKind::kCpu) return at::randn(shape, generator_, at::TensorOptions(dtype));
  return philox_randn(seed_, calls_++, shape).to(dtype);
}

torch::Tensor batch_noise(NoiseKind kind, uint64_t seed, int64_t n, at::IntArrayRef chw) {
  check(n >= 0, "batch_noise: expected n >= 0, got ", n);
  std::vector<int64_t> shape(chw.begin(), chw.end());
  shape.insert(shape.begin(), n);
  auto out = at::empty(shape, at::kFloat);
  for (int64_t k = 0; k < n; ++k)
    out.select(0, k).copy_(NoiseStream(kind, seed + static_cast<uint64_t>(k)).randn(chw));
  return out;
}

}  // namespace ldm
