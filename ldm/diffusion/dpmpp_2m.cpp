#include "ldm/diffusion/dpmpp_2m.h"

#include "ldm/diffusion/dpm_solver.h"

namespace ldm {

torch::Tensor sample_dpmpp_2m(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                              const SamplerRun& run) {
  return sample_dpm_solver(denoise, std::move(x), sigmas, run, {.order = 2, .lower_order_final = false});
}

}  // namespace ldm
