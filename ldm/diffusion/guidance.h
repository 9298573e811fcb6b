#pragma once

#include <torch/types.h>

#include <limits>
#include <vector>

#include "ldm/diffusion/denoiser.h"
#include "ldm/diffusion/parameterization.h"

namespace ldm {

// Ways to combine the estimates with and without a condition. All take tensors [N, ...] of one shape.

// Classifier-free guidance (Ho & Salimans 2022): uncond + scale (cond - uncond). Scale 1 is the condition
// alone, 0 the uncondition.
torch::Tensor combine_guidance(const torch::Tensor& uncond, const torch::Tensor& cond, double scale);

// Gives `guided` the standard deviation of `cond`, sample by sample, and mixes: phi of that, 1 - phi of
// `guided` (Lin et al. 2024, Eq. 15 and 16).
torch::Tensor rescale_guidance(const torch::Tensor& guided, const torch::Tensor& cond, double phi);

// Perp-Neg (Armandpour et al. 2023): the part of (negative - uncond) across (cond - uncond), times neg_scale,
// is what guidance moves away from. Projections are per sample, or over the whole tensor as ComfyUI has them.
torch::Tensor perp_neg_guidance(const torch::Tensor& uncond, const torch::Tensor& cond,
                                const torch::Tensor& negative, double scale, double neg_scale,
                                bool whole_tensor = false);

// CFG-Zero* (Fan et al. 2025): uncond is first scaled, sample by sample, to be closest to cond. The factors
// [N].
torch::Tensor zero_star_factor(const torch::Tensor& uncond, const torch::Tensor& cond);
torch::Tensor zero_star_guidance(const torch::Tensor& uncond, const torch::Tensor& cond, double scale);

// Dynamic thresholding (Saharia et al. 2022, Sec. 2.3): clamps each sample to its quantile `ratio` of |x0|,
// at least 1 and at most `most`, and divides by it.
torch::Tensor dynamic_threshold(const torch::Tensor& x0, double ratio, double most = 1e9);
torch::Tensor dynamic_threshold_level(const torch::Tensor& x0, double ratio, double most = 1e9);  // [N]

// Settings of adaptive projected guidance (Sadat et al. 2024, Algorithm 1).
struct ApgOptions {
  double eta = 0.0;             // How much of the part along the conditional estimate is kept; 1: all.
  double norm_threshold = 0.0;  // Longest allowed difference; 0: any.
  double momentum = 0.0;        // Of the running difference, -0.75 to 0; 0: none.
  bool from_cond = false;       // Start from cond instead of uncond (the authors' code; scale - 1 there).
};
// The rule itself: shortens the difference of the two estimates and keeps its part across the conditional
// one.
class AdaptiveProjectedGuidance {
 public:
  explicit AdaptiveProjectedGuidance(const ApgOptions& options) : options_(options) {}
  // Calls of one run of sampling, in order: the difference is remembered.
  torch::Tensor operator()(const torch::Tensor& uncond, const torch::Tensor& cond, double scale);

 private:
  ApgOptions options_;
  torch::Tensor running_;
};

// Noise levels at which guidance acts (Kynkaanniemi et al. 2024): lo < sigma <= hi.
struct GuidanceInterval {
  double lo = 0.0;
  double hi = std::numeric_limits<double>::infinity();
  bool contains(double sigma) const { return lo < sigma && sigma <= hi; }
};
// The same from fractions of the steps: step i of n is guided if int(start n) <= i < int(stop n). `sigmas`
// holds the n + 1 levels of a run. Throws kUsage unless 0 <= start <= stop <= 1.
GuidanceInterval interval_of_steps(const std::vector<double>& sigmas, double start, double stop);

struct GuidanceOptions {
  double scale = 1.0;         // 1: the condition alone, and one model call for half the price.
  double rescale = 0.0;       // phi of rescale_guidance; 0: off.
  GuidanceInterval interval;  // Elsewhere the condition alone is asked.
  bool zero_star = false;     // zero_star_guidance.
  bool apg = false;           // AdaptiveProjectedGuidance, on the clean estimates, as its paper has it.
  ApgOptions apg_options;
  double perp_neg = 0.0;           // neg_scale of perp_neg_guidance; 0: off.
  double dynamic_threshold = 0.0;  // ratio of dynamic_threshold; 0: off.
};

// Throws kUsage for numbers out of range (scales to 10,000, shares and quantiles from 0 to 1), NaN, and more
// than one of zero_star, apg and perp_neg.
void check_guidance(const GuidanceOptions& options);

// `both` is the denoiser with its conditions bound for a batch of 2N, the first N rows unconditional, the
// next N conditional, so that one call serves both; with perp_neg, 3N: then N negative ones. `cond` is the
// same bound to the N conditions alone. rescale and zero_star work on the network's own output, which
// `scaling` describes, as in diffusers. Throws as check_guidance. The result remembers what apg needs: bind a
// new one for each run.
GuidedDenoiser guided_estimates(Denoiser both, Denoiser cond, const GuidanceOptions& options,
                                const OutputScaling& scaling = output_scaling(Prediction::kEps));
// Its guided estimate alone.
Denoiser guided_denoiser(Denoiser both, Denoiser cond, const GuidanceOptions& options,
                         const OutputScaling& scaling = output_scaling(Prediction::kEps));

// Classifier-free guidance of a network before the denoiser seam; `both` and `cond` as above.
Network guided_network(Network both, Network cond, double scale);

}  // namespace ldm
