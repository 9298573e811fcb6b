#pragma once

#include <torch/types.h>

#include <cstdint>
#include <string_view>

namespace ldm {

// Where starting noise comes from. Both are made on the CPU, so that a picture does not depend on the device.
enum class NoiseKind {
  kCpu,     // PyTorch's CPU generator: equal, bit for bit, to torch.manual_seed(seed); torch.randn(...).
  kPhilox,  // CUDA's generator as web UIs draw it (Philox 4x32-10, one counter per element).
};

// "cpu" or "philox". Throws kUsage otherwise.
NoiseKind parse_noise_kind(std::string_view text);
std::string_view to_string(NoiseKind kind);

// A stream of normal noise that belongs to one seed. Calls continue the stream; copies do not share it.
class NoiseStream {
 public:
  NoiseStream(NoiseKind kind, uint64_t seed);
  NoiseStream(const NoiseStream& other);
  NoiseStream& operator=(const NoiseStream& other);
  NoiseStream(NoiseStream&&) noexcept = default;
  NoiseStream& operator=(NoiseStream&&) noexcept = default;
  ~NoiseStream() = default;

  // Mean 0, variance 1, on the CPU. kCpu draws in `dtype` as PyTorch does (a double's bits differ from a
  // float's); kPhilox draws floats and converts. Throws kUsage unless dtype is a floating type and all sizes
  // are >= 0.
  torch::Tensor randn(at::IntArrayRef shape, at::ScalarType dtype = at::kFloat);

 private:
  NoiseKind kind_;
  uint64_t seed_;
  uint32_t calls_ = 0;       // kPhilox: how often randn was called.
  at::Generator generator_;  // kCpu.
};

// Starting noise [n, C, H, W] of a batch: image k is what a NoiseStream of seed + k draws first, whatever n
// is. `chw` may have any rank; n leads the result's shape. Throws kUsage if n < 0.
torch::Tensor batch_noise(NoiseKind kind, uint64_t seed, int64_t n, at::IntArrayRef chw);

}  // namespace ldm
