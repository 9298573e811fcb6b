#include "ldm/diffusion/sampler_run.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "ldm/core/error.h"

namespace ldm {

torch::Tensor SamplerRun::prepare(torch::Tensor x, double sigma) const {
  return before_step ? before_step(x, sigma) : x;
}

void SamplerRun::report(int64_t step, int64_t steps, double sigma, const torch::Tensor& x,
                        const torch::Tensor& denoised) const {
  if (on_step) on_step({step, steps, sigma, x, denoised});
}

torch::Tensor SamplerRun::draw(std::string_view who, const torch::Tensor& like) const {
  check(static_cast<bool>(noise), ErrorKind::kUsage, who, ": expected a source of noise, got none");
  return noise(like);
}

torch::Tensor SamplerRun::draw_between(std::string_view who, const torch::Tensor& like, double from,
                                       double to) const {
  return path_noise ? path_noise(like, from, to) : draw(who, like);
}

torch::Tensor denoise_at(const Denoiser& denoise, const torch::Tensor& x, double sigma) {
  return denoise(x, at::full({x.size(0)}, sigma, at::kDouble));
}

GuidedEstimate denoise_at(const GuidedDenoiser& denoise, const torch::Tensor& x, double sigma) {
  return denoise(x, at::full({x.size(0)}, sigma, at::kDouble));
}

torch::Tensor euler_step(const torch::Tensor& x, const torch::Tensor& denoised, double from, double to) {
  return denoised + (to / from) * (x - denoised);
}

void check_sigmas(std::string_view who, const std::vector<double>& sigmas) {
  check(sigmas.size() >= 2, ErrorKind::kUsage, who, ": expected at least 2 sigmas (one step), got ",
        sigmas.size());
  check(std::isfinite(sigmas.front()) && sigmas.front() > 0, ErrorKind::kUsage, who,
        ": expected a first sigma above 0, got ", sigmas.front());
  check(sigmas.back() >= 0, ErrorKind::kUsage, who, ": expected a last sigma of at least 0, got ",
        sigmas.back());
  for (size_t i = 1; i < sigmas.size(); ++i) {
    check(sigmas[i] <= sigmas[i - 1], ErrorKind::kUsage, who, ": expected descending sigmas, got ",
          sigmas[i - 1], " before ", sigmas[i]);
    check(sigmas[i] > 0 || i + 1 == sigmas.size(), ErrorKind::kUsage, who,
          ": expected 0 as the last sigma only");
  }
}

AncestralStep ancestral_step(double from, double to, double eta) {
  const double kept = std::isinf(from) ? 1.0 : (from * from - to * to) / (from * from);
  const double up = std::min(to, eta * std::sqrt(to * to * kept));
  return {std::sqrt(std::max(to * to - up * up, 0.0)), up};
}

double churned_level(double sigma, int64_t steps, const ChurnOptions& o) {
  if (o.s_churn <= 0 || sigma < o.s_tmin || sigma > o.s_tmax) return sigma;
  return sigma * (1 + std::min(o.s_churn / static_cast<double>(steps), std::numbers::sqrt2 - 1));
}

double churn(std::string_view who, torch::Tensor& x, double sigma, int64_t steps, const ChurnOptions& o,
             const SamplerRun& run) {
  const double raised = churned_level(sigma, steps, o);
  if (o.s_churn <= 0 || (raised == sigma && o.draw_when_needed)) return sigma;
  const auto noise = run.draw(who, x);
  if (raised > sigma) x = x + noise * (o.s_noise * std::sqrt(raised * raised - sigma * sigma));
  return raised;
}

std::function<torch::Tensor(const torch::Tensor&, double)> keep_known(torch::Tensor known, torch::Tensor mask,
                                                                      NoiseFn noise) {
  return [known = std::move(known), mask = std::move(mask), noise = std::move(noise)](const torch::Tensor& x,
                                                                                      double sigma) {
    if (std::isinf(sigma)) return x;  // Pure noise holds nothing that is known.
    return (known + sigma * noise(x)) * mask + (1 - mask) * x;
  };
}

}  // namespace ldm
