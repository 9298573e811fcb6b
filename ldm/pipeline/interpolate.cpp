#include "ldm/pipeline/interpolate.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "ldm/core/brownian.h"
#include "ldm/core/error.h"
#include "ldm/diffusion/editing.h"

namespace ldm {
namespace {

// One row per position.
torch::Tensor mix_rows(const torch::Tensor& places, const std::vector<PathPosition>& positions,
                       MixRule rule) {
  std::vector<torch::Tensor> rows;
  const auto row = [&](size_t k) { return places.narrow(0, static_cast<int64_t>(k), 1); };
  for (const auto& at : positions) rows.push_back(mix(rule, at.t, row(at.from), row(at.to)));
  return at::cat(rows);
}

torch::Tensor mix_vectors(const torch::Tensor& places, const std::vector<PathPosition>& positions,
                          MixRule rule) {
  if (places.is_floating_point()) return mix_rows(places, positions, rule);
  const bool one = places.eq(places.narrow(0, 0, 1)).all().item<bool>();
  check(one, "interpolate: this model takes class numbers, and there is nothing between two of them");
  return places.narrow(0, 0, 1).repeat(static_cast<int64_t>(positions.size()));
}

}  // namespace

MixRule parse_mix_rule(std::string_view text) {
  check(text == "lerp" || text == "slerp", "--mode: expected lerp or slerp, got '", text, "'");
  return text == "lerp" ? MixRule::kLerp : MixRule::kSlerp;
}

PathPosition path_position(size_t count, bool closed, int64_t frames, int64_t k) {
  const auto places = static_cast<int64_t>(count);
  check(places >= 2 && frames >= 2 && k >= 0 && k < frames, ErrorKind::kInternal, "path_position: frame ", k,
        " of ", frames, " on a way through ", places, " places");
  // Whole numbers as far as they go: a frame that is a place lies there exactly.
  const int64_t legs = closed ? places : places - 1, parts = closed ? frames : frames - 1;
  const int64_t leg = std::min(k * legs / parts, legs - 1);
  const int64_t rest = k * legs - leg * parts;
  return {static_cast<size_t>(leg), static_cast<size_t>((leg + 1) % places),
          static_cast<double>(rest) / static_cast<double>(parts)};
}

torch::Tensor mix(MixRule rule, double t, const torch::Tensor& first, const torch::Tensor& second) {
  if (t == 0.0) return first;
  if (t == 1.0) return second;
  return rule == MixRule::kLerp ? lerp(t, first, second) : slerp(t, first, second);
}

Conditioning mix_conditions(const Conditioning& places, const std::vector<PathPosition>& positions,
                            MixRule rule) {
  Conditioning out;
  if (places.context.defined()) out.context = mix_rows(places.context, positions, rule);
  if (places.y.defined()) out.y = mix_vectors(places.y, positions, rule);
  if (places.concat.defined()) out.concat = mix_rows(places.concat, positions, rule);
  return out;
}

torch::Tensor mix_latents(const torch::Tensor& places, const std::vector<PathPosition>& positions,
                          MixRule rule) {
  return mix_rows(places, positions, rule);
}

MixedNoise::MixedNoise(NoiseKind kind, uint64_t seed) : kind_(kind), seed_(seed), stream_(kind, seed) {}

MixedNoise::MixedNoise(NoiseKind kind, uint64_t first, uint64_t second, double t)
    : kind_(kind), seed_(t == 1.0 ? second : first), stream_(kind, seed_) {
  if (first != second && t > 0.0 && t < 1.0) second_ = Second{second, t, NoiseStream(kind, second)};
}

torch::Tensor MixedNoise::randn(at::IntArrayRef shape) {
  auto noise = stream_.randn(shape);
  if (!second_) return noise;
  const auto other = second_->stream.randn(shape);
  return slerp(second_->t, noise.unsqueeze(0), other.unsqueeze(0)).squeeze(0);
}

PathNoiseFn MixedNoise::path() const {
  auto first = brownian_noise(kind_, seed_, 1);
  if (!second_) return first;
  return [first = std::move(first), second = brownian_noise(kind_, second_->seed, 1), t = second_->t](
             const torch::Tensor& like, double from, double to) {
    return slerp(t, first(like, from, to), second(like, from, to));
  };
}

}  // namespace ldm
