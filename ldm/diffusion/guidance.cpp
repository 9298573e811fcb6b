#include "ldm/diffusion/guidance.h"

#include <ATen/ATen.h>

#include <memory>
#include <utility>

#include "ldm/core/error.h"

namespace ldm {
namespace {

// Numbers per sample [N], shaped to broadcast against `like`.
torch::Tensor guidance_rows(const torch::Tensor& values, const torch::Tensor& like) {
  return per_sample(values, like);
}

torch::Tensor guidance_dot(const torch::Tensor& a, const torch::Tensor& b) {
  return (a * b).flatten(1).sum(1);
}

}  // namespace

torch::Tensor combine_guidance(const torch::Tensor& uncond, const torch::Tensor& cond, double scale) {
  return uncond + scale * (cond - uncond);
}

torch::Tensor rescale_guidance(const torch::Tensor& guided, const torch::Tensor& cond, double phi) {
  const auto factor = cond.flatten(1).std(1) / guided.flatten(1).std(1);
  return phi * guided * guidance_rows(factor, guided) + (1 - phi) * guided;
}

torch::Tensor perp_neg_guidance(const torch::Tensor& uncond, const torch::Tensor& cond,
                                const torch::Tensor& negative, double scale, double neg_scale,
                                bool whole_tensor) {
  const auto pos = cond - uncond, neg = negative - uncond;
  const auto share = whole_tensor ? (neg * pos).sum() / pos.square().sum()
                                  : guidance_rows(guidance_dot(neg, pos) / guidance_dot(pos, pos), pos);
  return uncond + scale * (pos - neg_scale * (neg - share * pos));
}

torch::Tensor zero_star_factor(const torch::Tensor& uncond, const torch::Tensor& cond) {
  // Published code computes it in float32, and so does every golden value.
  return (guidance_dot(cond, uncond) / (guidance_dot(uncond, uncond) + 1e-8)).to(at::kFloat);
}

torch::Tensor zero_star_guidance(const torch::Tensor& uncond, const torch::Tensor& cond, double scale) {
  return combine_guidance(uncond * guidance_rows(zero_star_factor(uncond, cond), uncond), cond, scale);
}

torch::Tensor dynamic_threshold_level(const torch::Tensor& x0, double ratio, double most) {
  check(ratio > 0 && ratio <= 1 && most >= 1, "dynamic_threshold: expected a ratio in (0, 1], got ", ratio);
  return at::quantile(x0.flatten(1).abs(), ratio, 1).clamp(1.0, most);
}

torch::Tensor dynamic_threshold(const torch::Tensor& x0, double ratio, double most) {
  const auto s = guidance_rows(dynamic_threshold_level(x0, ratio, most), x0);
  return at::clamp(x0, -s, s) / s;
}

torch::Tensor AdaptiveProjectedGuidance::operator()(const torch::Tensor& uncond, const torch::Tensor& cond,
                                                    double scale) {
  auto diff = cond - uncond;
  if (options_.momentum != 0) {
    if (running_.defined()) diff = diff + options_.momentum * running_;
    running_ = diff;
  }
  if (options_.norm_threshold > 0) {
    const auto length = guidance_dot(diff, diff).sqrt();
    diff = diff * guidance_rows((options_.norm_threshold / length).clamp_max(1.0), diff);
  }
  const auto wide = cond.to(at::kDouble);  // The projection cancels; its authors use float64 too.
  const auto direction = wide / guidance_rows(guidance_dot(wide, wide).sqrt().clamp_min(1e-12), wide);
  const auto wide_diff = diff.to(at::kDouble);
  const auto parallel = guidance_rows(guidance_dot(wide_diff, direction), wide) * direction;
  const auto change = (wide_diff - parallel + options_.eta * parallel).to(cond.scalar_type());
  return (options_.from_cond ? cond : uncond) + scale * change;
}

GuidanceInterval interval_of_steps(const std::vector<double>& sigmas, double start, double stop) {
  check(start >= 0 && start <= stop && stop <= 1,
        "guidance steps: expected fractions 0 <= start <= stop <= 1, got ", start, " and ", stop);
  const auto n = static_cast<double>(sigmas.size() - 1);
  const auto first = static_cast<size_t>(start * n), end = static_cast<size_t>(stop * n);
  if (first == end) return {0.0, 0.0};
  // Before the first step there is nothing to keep out, and churn may rise above its level.
  const double hi = first == 0 ? std::numeric_limits<double>::infinity() : sigmas[first];
  return {end + 1 == sigmas.size() ? 0.0 : sigmas[end], hi};
}

Network guided_network(Network both, Network cond, double scale) {
  if (scale == 1.0) return cond;
  return [both = std::move(both), scale](const torch::Tensor& x, const torch::Tensor& t) {
    const auto halves = both(at::cat({x, x}), at::cat({t, t})).chunk(2);
    return combine_guidance(halves[0], halves[1], scale);
  };
}

}  // namespace ldm
