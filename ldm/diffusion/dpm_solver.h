#pragma once

#include <cstdint>
#include <vector>

#include "ldm/diffusion/exponential_step.h"
#include "ldm/diffusion/sampler_run.h"

namespace ldm {

struct DpmSolverOptions {
  int64_t order = 2;                      // 1..3.
  SolverForm form = SolverForm::kData;    // kData: DPM-Solver++; kNoise: DPM-Solver.
  SlopeRule rule = SlopeRule::kMidpoint;  // Of second-order steps, and singlestep ones of order 3.
  // Multistep: order 2, then 1, at the end of runs below 15 steps. Singlestep: end with orders 2 and 1 also
  // where a step of order 3 would fit.
  bool lower_order_final = true;
  bool euler_at_final = false;         // Multistep: the last step is first order in any case.
  double eta = 0.0;                    // Multistep: share of fresh noise; 1 is the SDE of the papers.
  double s_noise = 1.0;                // Scales it.
  bool diffusers_third_order = false;  // kData with eta 1 and order 3: the second derivative's weight as
                                       // diffusers has it, 1 less than the integral.
};

// DPM-Solver (Lu et al. 2022a) and DPM-Solver++ (Lu et al. 2022b) as multistep methods (2M, 3M), and their
// SDE versions. One model call a step; the first steps have lower order, a step to 0 is first order.
torch::Tensor sample_dpm_solver(const Denoiser& denoise, torch::Tensor x, const std::vector<double>& sigmas,
                                const SamplerRun& run, const DpmSolverOptions& options = {});

// The same as singlestep methods (2S, 3S). `sigmas` holds one interval for each model call: a step of order k
// goes over k of them and asks the model at the levels in between. Orders are 3, 3, ..., and what is left at
// the end; a step to 0 is first order. on_step is called for each of these steps.
torch::Tensor sample_dpm_solver_singlestep(const Denoiser& denoise, torch::Tensor x,
                                           const std::vector<double>& sigmas, const SamplerRun& run,
                                           const DpmSolverOptions& options = {});

// Orders of the steps that spend `calls` model calls: 3, 3, 2, 1 (9 calls; without lower_final 3, 3, 3);
// 3, 3, 1; 3, 3, 2.
std::vector<int64_t> singlestep_orders(int64_t calls, int64_t order, bool lower_final = true);

}  // namespace ldm
