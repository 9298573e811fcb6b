#include "ldm/diffusion/unipc.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "ldm/core/error.h"

namespace ldm {
namespace {

// Gaussian elimination with pivoting; the systems have at most four rows.
std::vector<double> solve(std::vector<std::vector<double>> a, std::vector<double> b) {
  const size_t n = b.size();
  for (size_t c = 0; c < n; ++c) {
    size_t pivot = c;
    for (size_t r = c + 1; r < n; ++r) {
      if (std::abs(a[r][c]) > std::abs(a[pivot][c])) pivot = r;
    }
    std::swap(a[c], a[pivot]);
    std::swap(b[c], b[pivot]);
    for (size_t r = c + 1; r < n; ++r) {
      const double factor = a[r][c] / a[c][c];
      for (size_t k = c; k < n; ++k) a[r][k] -= factor * a[c][k];
      b[r] -= factor * b[c];
    }
  }
  for (size_t c = n; c-- > 0;) {
    for (size_t k = c + 1; k < n; ++k) b[c] -= a[c][k] * b[k];
    b[c] /= a[c][c];
  }
  return b;
}

// A step of the method from the level of the newest value in `history`.
struct UniPcStep {
  const UniPcOptions& options;
  const ModelHistory& history;
  double to;

  double length() const { return std::log(history.sigma(0) / to); }
  double signed_length() const { return options.form == SolverForm::kData ? -length() : length(); }
  double scale() const { return options.bh1 ? signed_length() : std::expm1(signed_length()); }  // B(h).

  // The places of earlier values in units of the step, newest first.
  std::vector<double> places(int64_t order) const {
    std::vector<double> r;
    for (int64_t k = 1; k < order; ++k) r.push_back(std::log(history.sigma(0) / history.sigma(k)) / length());
    return r;
  }

  // rho of Eq. 10 for values at these places.
  std::vector<double> weights(const std::vector<double>& r) const {
    const double h = signed_length();
    std::vector<std::vector<double>> rows(r.size());
    std::vector<double> b;
    double phi = std::expm1(h) / h - 1, factorial = 1;
    for (size_t k = 0; k < r.size(); ++k) {
      for (const double place : r) rows[k].push_back(std::pow(place, static_cast<double>(k)));
      factorial *= static_cast<double>(k + 1);
      b.push_back(phi * factorial / scale());
      phi = phi / h - 1 / (factorial * static_cast<double>(k + 2));
    }
    return solve(rows, b);
  }

  // `newest` is the model's value at `to`, for the corrector; undefined for the predictor.
  torch::Tensor take(const torch::Tensor& x, int64_t order, const torch::Tensor& newest) const {
    const Polynomial first{history.value(0), {}, {}};
    auto out = exponential_step(options.form, x, first, history.sigma(0), to, SlopeRule::kMidpoint);
    auto r = places(order);
    std::vector<double> rho;
    if (newest.defined()) {
      r.push_back(1.0);
      rho = order == 1 ? std::vector<double>{0.5} : weights(r);
    } else if (order > 1) {
      rho = order == 2 ? std::vector<double>{0.5} : weights(r);
    }
    const double factor = (options.form == SolverForm::kData ? 1.0 : to) * scale();
    for (size_t k = 0; k < rho.size(); ++k) {
      const bool at_end = newest.defined() && k + 1 == rho.size();
      const auto& value = at_end ? newest : history.value(static_cast<int64_t>(k) + 1);
      out = out - (factor * rho[k] / r[k]) * (value - history.value(0));
    }
    return out;
  }
};

}  // namespace

torch::Tensor sample_unipc(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                           const SamplerRun& run, const UniPcOptions& o) {
  check_sigmas("sample_unipc", sigmas);
  check(o.order >= 1 && o.order <= 4, "sample_unipc: expected an order of 1 to 4, got ", o.order);
  at::NoGradGuard no_grad;
  const auto steps = static_cast<int64_t>(sigmas.size()) - 1;
  ModelHistory history(o.order);
  torch::Tensor before;  // The state before the last prediction.
  int64_t order = 0;     // Of the last prediction.
  for (int64_t i = 0; i < steps && !run.stop.requested(); ++i) {
    const double sigma = sigmas[i], next = sigmas[i + 1];
    x = run.prepare(x, sigma);
    const auto denoised = denoise_at(denoise, x, sigma);
    run.report(i, steps, sigma, x, denoised);
    const auto value = model_value(o.form, x, denoised, sigma);
    const bool corrected =
        std::find(o.uncorrected.begin(), o.uncorrected.end(), i - 1) == o.uncorrected.end();
    if (i > 0 && corrected) x = UniPcStep{o, history, sigma}.take(before, order, value);
    history.push(value, sigma);
    before = x;
    order = o.lower_order_final ? std::min(history.size(), steps - i) : history.size();
    x = next == 0 ? denoised : UniPcStep{o, history, next}.take(x, order, {});
  }
  return x;
}

}  // namespace ldm
