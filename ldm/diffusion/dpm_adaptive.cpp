#include "ldm/diffusion/dpm_adaptive.h"

#include <ATen/ATen.h>

#include <array>
#include <cmath>
#include <vector>

#include "ldm/core/error.h"
#include "ldm/diffusion/dpm_fast.h"
#include "ldm/diffusion/singlestep.h"

namespace ldm {
namespace {

constexpr double kTiny = 1e-8;

// Step length from the history of errors (Soederlind 2003).
class StepLength {
 public:
  StepLength(const DpmAdaptiveOptions& o, double order)
      : powers_{(o.pcoeff + o.icoeff + o.dcoeff) / order, -(o.pcoeff + 2 * o.dcoeff) / order,
                o.dcoeff / order},
        safety_(o.accept_safety),
        length_(o.first_length) {}

  double length() const { return length_; }

  // Whether a step with this error stands; the next length is chosen.
  bool accept(double error) {
    const double inverse = 1 / (error + kTiny);
    if (inverse_.empty()) inverse_.assign(3, inverse);
    inverse_[0] = inverse;
    double factor = 1;
    for (size_t k = 0; k < 3; ++k) factor *= std::pow(inverse_[k], powers_[k]);
    factor = 1 + std::atan(factor - 1);  // Keeps it within 0.2 and 2.6.
    const bool accepted = factor >= safety_;
    if (accepted) {
      inverse_[2] = inverse_[1];
      inverse_[1] = inverse_[0];
    }
    length_ *= factor;
    return accepted;
  }

 private:
  std::array<double, 3> powers_;
  double safety_, length_;
  std::vector<double> inverse_;  // Of this error and the last two accepted ones.
};

double scaled_error(const torch::Tensor& low, const torch::Tensor& high, const torch::Tensor& last_low,
                    const DpmAdaptiveOptions& o) {
  const auto scale = at::maximum(low.abs(), last_low.abs()).mul(o.rtol).clamp_min(o.atol);
  return ((low - high) / scale).square().mean().sqrt().item<double>();
}

}  // namespace

torch::Tensor sample_dpm_adaptive(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                                  const SamplerRun& run, const DpmAdaptiveOptions& o) {
  check_sigmas("sample_dpm_adaptive", sigmas);
  check(o.order == 2 || o.order == 3, "sample_dpm_adaptive: expected an order of 2 or 3, got ", o.order);
  check(o.rtol > 0 && o.atol > 0 && o.first_length > 0,
        "sample_dpm_adaptive: expected tolerances and a first length above 0");
  const double lowest = sigmas.back();
  check(lowest > 0, "sample_dpm_adaptive: expected a last sigma above 0");
  at::NoGradGuard no_grad;
  // Noise makes the error estimate fall as h^1.5 only.
  StepLength control(o, o.eta > 0 ? 1.5 : static_cast<double>(o.order));
  const double start = -std::log(sigmas.front()), end = -std::log(lowest);
  auto last_low = x;
  int64_t calls = 0;
  for (double t = start; t < end - 1e-5 && !run.stop.requested();) {
    const double from = std::exp(-t), next_t = std::min(end, t + control.length());
    const auto state = run.prepare(x, from);
    const auto [down, up] = ancestral_step_above(lowest, from, std::exp(-next_t), o.eta);
    SinglestepSolver solver(SolverForm::kNoise, denoise, state, from, down);
    const auto inner = [&, to = down](double r) { return level_between(from, to, r); };
    const auto low = o.order == 2 ? solver.first() : solver.second(inner(1.0 / 3));
    const auto high = o.order == 2 ? solver.second(inner(0.5)) : solver.third(inner(1.0 / 3), inner(2.0 / 3));
    const double error = scaled_error(low, high, last_low, o);
    check(std::isfinite(error), ErrorKind::kData, "sample_dpm_adaptive: the model returned NaN or infinity");
    calls += o.order;
    const bool accepted = control.accept(error);
    if (accepted) {
      last_low = low;
      x = o.eta > 0 ? high + run.draw("sample_dpm_adaptive", x) * (o.s_noise * up) : high;
      run.report(static_cast<int64_t>(100 * (t - start) / (end - start)), 100, from, state,
                 solver.denoised());
      t = next_t;
    }
    if (o.on_attempt) o.on_attempt({x, solver.denoised(), control.length(), error, accepted, calls});
  }
  return x;
}

}  // namespace ldm
