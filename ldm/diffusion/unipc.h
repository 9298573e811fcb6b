#pragma once

#include <vector>

#include "ldm/diffusion/exponential_step.h"

namespace ldm {

struct UniPcOptions {
  int64_t order = 2;                    // 1..4, of predictor and corrector.
  bool bh1 = false;                     // B(h) = h instead of exp(h) - 1 ("bh2", better with guidance).
  SolverForm form = SolverForm::kData;  // kNoise: predict_x0 = false in diffusers.
  bool lower_order_final = true;        // No more than the steps that are left.
  // Steps without correction of what they predicted, from 0 (diffusers' disable_corrector).
  std::vector<int64_t> uncorrected;
};

// UniPC (Zhao et al. 2023, "UniPC: A Unified Predictor-Corrector Framework", Algorithms 1 to 8). The
// correction costs no model call: it uses the one for the next step, as diffusers does. One model call a
// step; a step to 0 is first order.
torch::Tensor sample_unipc(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                           const SamplerRun& run, const UniPcOptions& options = {});

}  // namespace ldm
