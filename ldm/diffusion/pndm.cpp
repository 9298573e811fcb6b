#include "ldm/diffusion/pndm.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>

#include "ldm/diffusion/exponential_step.h"
#include "ldm/diffusion/lagrange.h"

namespace ldm {
namespace {

constexpr int64_t kRungeKuttaSteps = 3;

// The level halfway in time. Between whole timesteps of an odd distance the first inner state is made for the
// upper one of the two in the middle, and the model asked as at the lower one: diffusers' rounding.
struct PndmMiddle {
  double reached = 0.0, asked = 0.0;
};

PndmMiddle pndm_middle(const NoiseSchedule& schedule, double from, double to) {
  const double twice = schedule.sigma_to_t(from) + schedule.sigma_to_t(to);
  const bool whole = std::abs(twice - std::round(twice)) < 1e-6;
  const double sum = whole ? std::round(twice) : twice;
  const auto level = [&](double t) { return std::clamp(schedule.t_to_sigma(t), to, from); };
  return {level(whole ? std::ceil(sum / 2) : sum / 2), level(whole ? std::floor(sum / 2) : sum / 2)};
}

// A variance-preserving state of one level, taken for one of another.
double pndm_rescale(double from, double to) { return std::sqrt((1 + to * to) / (1 + from * from)); }

}  // namespace

torch::Tensor sample_pndm(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                          const SamplerRun& run, const NoiseSchedule& schedule,
                          const OutputScaling& outputs) {
  check_sigmas("sample_pndm", sigmas);
  at::NoGradGuard no_grad;
  const auto steps = static_cast<int64_t>(sigmas.size()) - 1;
  const auto output_at = [&](const torch::Tensor& at, double sigma) {
    return outputs.output(at, denoise_at(denoise, at, sigma), sigma);
  };
  ModelHistory history(4);
  for (int64_t i = 0; i < steps && !run.stop.requested(); ++i) {
    const double sigma = sigmas[i], next = sigmas[i + 1];
    x = run.prepare(x, sigma);
    history.push(output_at(x, sigma), sigma);
    torch::Tensor output;
    if (i < kRungeKuttaSteps && next > 0) {
      const auto [reached, asked] = pndm_middle(schedule, sigma, next);
      const auto moved = [&, from = sigma](const torch::Tensor& by, double to) {
        return euler_step(x, outputs.denoised(x, by, from), from, to);
      };
      const auto& first = history.value(0);
      const auto second = output_at(moved(first, reached) * pndm_rescale(reached, asked), asked);
      const auto third = output_at(moved(second, asked), asked);
      const auto fourth = output_at(moved(third, next), next);
      output = (first + 2 * second + 2 * third + fourth) / 6;
    } else {
      output = history.combine(adams_bashforth_weights(static_cast<size_t>(history.size())));
    }
    const auto denoised = outputs.denoised(x, output, sigma);
    run.report(i, steps, sigma, x, denoised);
    x = euler_step(x, denoised, sigma, next);
  }
  return x;
}

}  // namespace ldm
