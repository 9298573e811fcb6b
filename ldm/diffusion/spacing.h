#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ldm/diffusion/schedule.h"
#include "ldm/diffusion/sigma_tables.h"
#include "ldm/diffusion/timesteps.h"

namespace ldm {

// Where a sampler stops on the way from noise to picture: n + 1 descending levels for n steps, on a schedule.

// Equal steps in fractional t, from T-1 to 0 (k-diffusion's get_sigmas), then 0.
std::vector<double> sigmas_linspace(const NoiseSchedule& schedule, int64_t n);
// n + 1 such steps, the last of them left out (stability-ai's generative-models), then 0.
std::vector<double> sigmas_sgm_uniform(const NoiseSchedule& schedule, int64_t n);
// Every (T / n)-th entry of the table, rounded down, from the highest, then 0 (ComfyUI's simple).
std::vector<double> sigmas_simple(const NoiseSchedule& schedule, int64_t n);
// Every (T / n)-th entry of the table from the second on, then 0 (ComfyUI's ddim_uniform): not always n of
// them.
std::vector<double> sigmas_ddim_uniform(const NoiseSchedule& schedule, int64_t n);
// Table entries at the quantiles of Beta(a, b), repeated ones left out, then 0 (ComfyUI's beta; Lee et al.
// 2024).
std::vector<double> sigmas_beta_timesteps(const NoiseSchedule& schedule, int64_t n, double a = 0.6,
                                          double b = 0.6);

// DPM-Solver's continuous time t in [1/T, 1]: log alpha is linear between the table's t_i = (i + 1) / T.
double dpm_time_to_sigma(const NoiseSchedule& schedule, double t);
double sigma_to_dpm_time(const NoiseSchedule& schedule, double sigma);
// n + 1 levels at equal steps of that time, or of its square root (skip "time_uniform", "time_quadratic"),
// down to the lowest of the table. Throws kUsage for another name.
std::vector<double> sigmas_dpm_time(const NoiseSchedule& schedule, std::string_view skip, int64_t n);

// What users choose from.
struct SpacingInfo {
  std::string name;
  std::vector<std::string> aliases;
  std::string summary;
};
const std::vector<SpacingInfo>& spacings();

struct SpacingOptions {
  double last = 0.0;   // The final level: 0, or sigma(0) where the sampler ends as the original's DDIM does.
  double rho = 0.0;    // Of karras and polyexponential; 0: 7 and 1.
  double alpha = 0.6;  // Of the two beta spacings.
  double beta = 0.6;
};

// The levels of a named spacing: n + 1 of them, but for those whose summary says otherwise. Where the
// schedule ends at zero signal, spacings of integer timesteps that contain its last one begin with an
// infinite level. Throws kUsage for an unknown name (with the nearest) or an impossible n.
std::vector<double> make_sigmas(const NoiseSchedule& schedule, std::string_view spacing, int64_t n,
                                const SpacingOptions& options = {});

}  // namespace ldm
