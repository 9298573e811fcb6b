#include "ldm/pipeline/seeded_noise.h"

#include <ATen/ATen.h>

#include "ldm/core/brownian.h"
#include "ldm/diffusion/editing.h"

namespace ldm {
namespace {

bool varies(const GenerateRequest& r) { return r.variation.strength > 0; }

MixedNoise image_noise(const GenerateRequest& r, int64_t image) {
  if (r.path.empty()) return {r.noise, image_seed(r, image)};
  const auto at = path_position(r.path, r.count, image);
  return {r.noise, r.path.places[at.from].seed, r.path.places[at.to].seed, at.t};
}

}  // namespace

uint64_t image_seed(const GenerateRequest& r, int64_t image) {
  if (!r.path.empty()) {
    const auto at = path_position(r.path, r.count, image);
    return r.path.places[at.t < 1.0 ? at.from : at.to].seed;
  }
  return varies(r) ? r.seed : r.seed + static_cast<uint64_t>(image);
}

std::optional<uint64_t> variation_seed(const GenerateRequest& r, int64_t image) {
  if (!varies(r)) return std::nullopt;
  return r.variation.seed + static_cast<uint64_t>(image);
}

SeededNoise::SeededNoise(const GenerateRequest& request, int64_t first, int64_t n)
    : r_(request), first_(first), n_(n) {
  for (int64_t k = 0; k < n; ++k) streams_.push_back(image_noise(r_, first + k));
}

torch::Tensor SeededNoise::start(at::IntArrayRef chw) {
  std::vector<torch::Tensor> rows;
  for (int64_t k = 0; k < n_; ++k) {
    auto noise = streams_[static_cast<size_t>(k)].randn(chw);
    if (const auto seed = variation_seed(r_, first_ + k)) {
      const auto other = NoiseStream(r_.noise, *seed).randn(chw);
      noise = slerp_a1111(r_.variation.strength, noise, other);
    }
    rows.push_back(noise);
  }
  return at::stack(rows);
}

NoiseFn SeededNoise::steps() {
  return [this](const torch::Tensor& like) {
    std::vector<torch::Tensor> rows;
    for (auto& stream : streams_) rows.push_back(stream.randn(like.sizes().slice(1)));
    return at::stack(rows).to(like.options());
  };
}

PathNoiseFn SeededNoise::path() const {
  if (!r_.path.empty()) return path_rows();
  if (!varies(r_)) return brownian_noise(r_.noise, image_seed(r_, first_), n_);
  // All of one seed.
  return [one = brownian_noise(r_.noise, r_.seed, 1)](const torch::Tensor& like, double from, double to) {
    return one(like.narrow(0, 0, 1), from, to).expand_as(like);
  };
}

PathNoiseFn SeededNoise::path_rows() const {
  std::vector<PathNoiseFn> rows;
  for (const auto& stream : streams_) rows.push_back(stream.path());
  return [rows = std::move(rows)](const torch::Tensor& like, double from, double to) {
    std::vector<torch::Tensor> out;
    for (size_t k = 0; k < rows.size(); ++k)
      out.push_back(rows[k](like.narrow(0, static_cast<int64_t>(k), 1), from, to));
    return at::cat(out);
  };
}

}  // namespace ldm
