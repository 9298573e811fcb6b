#include "ldm/diffusion/dpmpp_2m_sde.h"

#include "ldm/diffusion/dpm_solver.h"

namespace ldm {

torch::Tensor sample_dpmpp_2m_sde(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                                  const SamplerRun& run, const DpmppSdeOptions& o, SlopeRule rule) {
  return sample_dpm_solver(
      denoise, std::move(x), sigmas, run,
      {.order = 2, .rule = rule, .lower_order_final = false, .eta = o.eta, .s_noise = o.s_noise});
}

}  // namespace ldm
