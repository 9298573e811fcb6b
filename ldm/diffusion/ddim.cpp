#include "ldm/diffusion/ddim.h"

#include <ATen/core/grad_mode.h>

namespace ldm {

torch::Tensor sample_ddim(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                          const SamplerRun& run, const DdimOptions& options) {
  check_sigmas("sample_ddim", sigmas);
  at::NoGradGuard no_grad;
  const auto steps = static_cast<int64_t>(sigmas.size()) - 1;
  for (int64_t i = 0; i < steps && !run.stop.requested(); ++i) {
    x = run.prepare(x, sigmas[i]);
    const auto denoised = denoise_at(denoise, x, sigmas[i]);
    const auto clean = options.clip > 0 ? denoised.clamp(-options.clip, options.clip) : denoised;
    run.report(i, steps, sigmas[i], x, clean);
    const auto [down, up] = ancestral_step(sigmas[i], sigmas[i + 1], options.eta);
    x = clean + (down / sigmas[i]) * (x - (options.clip_noise ? clean : denoised));
    if (options.eta > 0) x = x + run.draw("sample_ddim", x) * (up * options.temperature);
  }
  return x;
}

}  // namespace ldm
