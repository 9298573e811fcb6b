#pragma once

#include <string>
#include <vector>

#include "ldm/diffusion/schedule.h"
#include "tests/golden/case.h"

namespace ldm::golden {

// The timesteps and sigmas that a scheduler class of diffusers makes of its configuration.
struct DiffusersLevels {
  std::vector<double> timesteps, sigmas;  // sigmas has one entry more.
};

// How the classes that walk down sigmas differ.
struct DiffusersFamily {
  bool rounds_timesteps = true;   // DPM-Solver, DEIS and UniPC; Euler keeps fractions.
  bool always_sigma_min = false;  // DEIS ends at the lowest level whatever final_sigmas_type says.
  bool cuts_cosine = false;  // DPM-Solver: timesteps of formulas are cut, not rounded, with that schedule.
};

// Skips the case for values that are not known.
DiffusersLevels diffusers_levels(const Case& c, const NoiseSchedule& schedule, const DiffusersFamily& family);

// Skips the case by the name of the first key of its config that is neither in `known` nor one that all have,
// or the first argument of step() that is not in `step`.
void skip_unknown_keys(const Case& c, const std::vector<std::string>& known,
                       const std::vector<std::string>& step = {});

}  // namespace ldm::golden
