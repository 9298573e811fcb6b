#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ldm/diffusion/schedule.h"

namespace ldm {

// Where a sampler stops on the way from noise to picture. Sigma tables are descending and hold n + 1 levels
// for n steps.

// n sigmas from max to min, equally spaced in sigma^(1/rho) (Karras et al. 2022, Eq. 5), then 0.
std::vector<double> sigmas_karras(int64_t n, double min, double max, double rho = 7.0);
// n sigmas from max to min, equally spaced in log sigma, then 0.
std::vector<double> sigmas_exponential(int64_t n, double min, double max);

// Timesteps of the original's DDIM, ascending, shifted by one as there. `uniform`: every (T / n)-th one,
// which is not always n of them (n = 400 gives 500) and contains T, where the original raises, for some n;
// `quad`: denser near 0, with repetitions where n is large. Throws kUsage for another method.
std::vector<int64_t> timesteps_original(std::string_view method, int64_t n, int64_t timesteps);

// Exactly n distinct timesteps, ascending, for any n in 1..T: the original's where it gives n of them.
// Throws kUsage for n outside.
std::vector<int64_t> timesteps_uniform(int64_t n, int64_t timesteps);
std::vector<int64_t> timesteps_quad(int64_t n, int64_t timesteps);

// As diffusers spaces them ("linspace", "leading", "trailing"), descending. `offset` is added to leading
// ones. Throws kUsage for another name or n outside 1..T.
std::vector<int64_t> timesteps_diffusers(std::string_view spacing, int64_t n, int64_t timesteps,
                                         int64_t offset = 0);

// What users choose from:
//   uniform, quad   the original's DDIM spacing, always exactly n steps
//   original        the original's uniform spacing to the letter; the number of steps may differ from n
//   linspace        equal steps in t from T-1 to 0 (k-diffusion's and the web UIs' default), t fractional
//   leading, trailing   diffusers' integer timesteps (leading with the offset 1 of Stable Diffusion)
//   karras, exponential
const std::vector<std::string>& spacing_names();

// The n + 1 levels of a named spacing on a schedule. `last` is the final level: 0, or sigma(0) where the
// sampler ends as the original's DDIM does. Throws kUsage for an unknown name (with the nearest) or an
// impossible n.
std::vector<double> make_sigmas(const NoiseSchedule& schedule, std::string_view spacing, int64_t n,
                                double last = 0.0, double rho = 7.0);

}  // namespace ldm
