// How the ways to guide come together behind the denoiser seam.
#include <ATen/ATen.h>

#include <limits>
#include <memory>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/diffusion/guidance.h"

namespace ldm {
namespace {

// One level of a batch: a conversion between clean estimates and the network's own output.
class GuidedLevel {
 public:
  GuidedLevel(const OutputScaling& scaling, const torch::Tensor& x, const torch::Tensor& sigma) : x_(x) {
    auto skip = at::empty({sigma.size(0)}, at::kDouble), out = at::empty({sigma.size(0)}, at::kDouble);
    for (int64_t i = 0; i < sigma.size(0); ++i) {
      const double level = sigma[i].item<double>();
      skip[i] = scaling.c_skip(level);
      out[i] = scaling.c_out(level);
    }
    skip_ = per_sample(skip, x);
    out_ = per_sample(out, x);
  }
  torch::Tensor output(const torch::Tensor& denoised) const { return (denoised - skip_ * x_) / out_; }
  torch::Tensor denoised(const torch::Tensor& output) const { return skip_ * x_ + out_ * output; }

 private:
  torch::Tensor x_, skip_, out_;
};

class GuidedModel {
 public:
  GuidedModel(Denoiser both, Denoiser cond, const GuidanceOptions& options, OutputScaling scaling)
      : both_(std::move(both)),
        cond_(std::move(cond)),
        o_(options),
        scaling_(std::move(scaling)),
        apg_(std::make_shared<AdaptiveProjectedGuidance>(options.apg_options)) {}

  GuidedEstimate operator()(const torch::Tensor& x, const torch::Tensor& sigma) const {
    // Levels of one batch are equal but for a caller of its own; the first decides.
    const bool on = o_.interval.contains(sigma[0].item<double>());
    if (!on) {
      const auto d = cond_(x, sigma);
      return {threshold(d), d};
    }
    const int64_t parts = o_.perp_neg > 0 ? 3 : 2;
    const auto repeat = [parts](const torch::Tensor& t) {
      return at::cat(std::vector<at::Tensor>(static_cast<size_t>(parts), t));
    };
    const auto estimates = both_(repeat(x), repeat(sigma)).chunk(parts);
    return {threshold(combine(x, sigma, estimates)), estimates[0]};
  }

 private:
  torch::Tensor combine(const torch::Tensor& x, const torch::Tensor& sigma,
                        const std::vector<at::Tensor>& e) const {
    torch::Tensor guided;
    if (o_.apg) {
      guided = (*apg_)(e[0], e[1], o_.scale);
    } else if (o_.perp_neg > 0) {
      guided = perp_neg_guidance(e[0], e[1], e[2], o_.scale, o_.perp_neg);
    } else if (!o_.zero_star) {
      guided = combine_guidance(e[0], e[1], o_.scale);
    }
    if (!o_.zero_star && o_.rescale == 0) return guided;
    const GuidedLevel level(scaling_, x, sigma);
    const auto cond = level.output(e[1]);
    auto output =
        o_.zero_star ? zero_star_guidance(level.output(e[0]), cond, o_.scale) : level.output(guided);
    if (o_.rescale > 0) output = rescale_guidance(output, cond, o_.rescale);
    return level.denoised(output);
  }

  torch::Tensor threshold(const torch::Tensor& d) const {
    return o_.dynamic_threshold > 0 ? dynamic_threshold(d, o_.dynamic_threshold) : d;
  }

  Denoiser both_, cond_;
  GuidanceOptions o_;
  OutputScaling scaling_;
  std::shared_ptr<AdaptiveProjectedGuidance> apg_;
};

}  // namespace

void check_guidance(const GuidanceOptions& o) {
  constexpr double kMost = 1e4;
  const auto range = [](const char* what, double value, double least, double most) {
    check(value >= least && value <= most, "guidance: expected ", what, " of ", least, " to ", most, ", got ",
          value);
  };
  range("a scale", o.scale, -kMost, kMost);
  range("a rescale", o.rescale, 0, 1);
  range("a strength of the negative prompt", o.perp_neg, 0, kMost);
  range("a threshold quantile", o.dynamic_threshold, 0, 1);
  range("an eta of APG", o.apg_options.eta, -kMost, kMost);
  range("a norm of APG", o.apg_options.norm_threshold, 0, std::numeric_limits<double>::max());
  range("a momentum of APG", o.apg_options.momentum, -1, 1);
  check(o.interval.lo <= o.interval.hi, "guidance: expected an interval LOW <= HIGH, got ", o.interval.lo,
        " and ", o.interval.hi);
  const int ways = (o.zero_star ? 1 : 0) + (o.apg ? 1 : 0) + (o.perp_neg > 0 ? 1 : 0);
  check(ways <= 1, "guidance: expected at most one of apg, zero-star and perp-neg");
}

GuidedDenoiser guided_estimates(Denoiser both, Denoiser cond, const GuidanceOptions& options,
                                const OutputScaling& scaling) {
  check_guidance(options);
  return GuidedModel(std::move(both), std::move(cond), options, scaling);
}

Denoiser guided_denoiser(Denoiser both, Denoiser cond, const GuidanceOptions& options,
                         const OutputScaling& scaling) {
  check_guidance(options);
  const bool plain = options.scale == 1.0 && options.perp_neg == 0 && !options.apg && !options.zero_star;
  const bool never = options.interval.hi <= options.interval.lo;
  if ((plain || never) && options.dynamic_threshold == 0) return cond;
  return [model = GuidedModel(std::move(both), std::move(cond), options, scaling)](
             const torch::Tensor& x, const torch::Tensor& sigma) { return model(x, sigma).denoised; };
}

}  // namespace ldm
